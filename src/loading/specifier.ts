/** Key of the global that provides `import.meta` for the files of a bundle. */
export const IMPORT_META = 'fanfold.importMeta';

const SCHEME = 'fanfold-import:';

/** An import and the URL of the bundled file that contains it, from which Node resolves it. */
export interface Imported {
  specifier: string;
  parentURL: string;
}

/** Encodes an import and its file as a specifier for the bundle. */
export function specifierOf({ specifier, parentURL }: Imported): string {
  return SCHEME + encodeURIComponent(JSON.stringify([specifier, parentURL]));
}

/** Decodes a bundle's specifier. @returns undefined for any other specifier */
export function importedBy(text: string): Imported | undefined {
  if (!text.startsWith(SCHEME)) return undefined;
  const [specifier, parentURL] = JSON.parse(decodeURIComponent(text.slice(SCHEME.length))) as [
    string,
    string,
  ];
  return { specifier, parentURL };
}

/** Replaces encoded specifiers in an error message of Node by those in the source files. */
export function withoutSchemes(message: string): string {
  return message.replace(
    /fanfold-import:[^\s'"]+/g,
    (text) => importedBy(text.replace(/%27/g, "'"))?.specifier ?? text,
  );
}
