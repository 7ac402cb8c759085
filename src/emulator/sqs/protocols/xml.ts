import { FORBIDDEN_CHARACTER } from '../engine/characters.ts';

const SPECIAL: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // XML parsers read an unescaped one as \n.
  '\r': '&#xD;',
};

/** Characters that XML 1.0 can't hold. They occur in tags, and in errors that quote a request. */
const FORBIDDEN = new RegExp(FORBIDDEN_CHARACTER, 'gu');

/** A text as the content of an element. */
export function escaped(text: string): string {
  return text
    .replace(FORBIDDEN, '\ufffd')
    .replace(/[&<>"\r]/g, (character) => SPECIAL[character] ?? character);
}

/** @param content already XML */
export function element(name: string, content: string): string {
  return content === '' ? `<${name}/>` : `<${name}>${content}</${name}>`;
}
