/** The global that gives a bundle's files their `import.meta`. */
export const IMPORT_META = 'fanfold.importMeta';

const SCHEME = 'fanfold-import:';

/** What a file of a bundle imports, and the file's URL: Node resolves it as if the file imported it. */
export interface Imported {
  specifier: string;
  parentURL: string;
}

/** A specifier that says in a bundle which of its files imports what. */
export function specifierOf({ specifier, parentURL }: Imported): string {
  return SCHEME + encodeURIComponent(JSON.stringify([specifier, parentURL]));
}

/** @returns undefined for a specifier that is not of a bundle */
export function importedBy(text: string): Imported | undefined {
  if (!text.startsWith(SCHEME)) return undefined;
  const [specifier, parentURL] = JSON.parse(decodeURIComponent(text.slice(SCHEME.length))) as [
    string,
    string,
  ];
  return { specifier, parentURL };
}

/** A message of Node's, with the specifiers in it as their files have them. */
export function withoutSchemes(message: string): string {
  return message.replace(
    /fanfold-import:[^\s'"]+/g,
    (text) => importedBy(text.replace(/%27/g, "'"))?.specifier ?? text,
  );
}
