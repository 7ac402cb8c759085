export const XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

/** Special characters, and control characters, which S3 writes as numbers. */
const SPECIAL = /[&<>"\p{Cc}]/gu;

/** @param content already XML */
export function element(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}

export function textElement(name: string, text: string | number | boolean): string {
  const escaped = String(text).replace(
    SPECIAL,
    (special) => ENTITIES[special] ?? `&#x${special.charCodeAt(0).toString(16).toUpperCase()};`,
  );
  return element(name, escaped);
}

/** The contents of all elements of a name. S3's requests nest no elements of one name. */
export function contentsOf(xml: string, name: string): string[] {
  const pattern = new RegExp(`<${name}(?:\\s[^>]*)?>(.*?)</${name}\\s*>`, 'gs');
  return Array.from(xml.matchAll(pattern), ([, content = '']) => content);
}

/** The text of the first element of a name. */
export function textOf(xml: string, name: string): string | undefined {
  return contentsOf(xml, name)[0]?.replace(
    /&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi,
    (entity, hex?: string, decimal?: string, named?: string) => {
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
      return NAMED[named ?? ''] ?? entity;
    },
  );
}

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};
