// oxc-parser reads TypeScript into ESTree with ranges, and is what Vite and Rolldown parse with;
// esquery is how ESLint's rules select nodes.
import esquery from 'esquery';
import { parseSync, visitorKeys } from 'oxc-parser';

/** A node of a source: its text, and the texts of nodes within. */
export interface Part {
  readonly text: string;
  /** The text of the one node within that a selector names. */
  of(selector: string): string;
  /** The text of the one node in its file that a selector names. */
  elsewhere(selector: string): string;
}

/** A change of one node of a source. */
export interface Rewrite {
  /**
   * Selects exactly one node: by the names of classes, methods, constants and calls, and by kinds of
   * nodes, so that it is found wherever it has moved in its file, however it is formatted.
   * https://github.com/estools/esquery
   */
  node: string;
  /** The text that replaces it. */
  becomes: string | ((node: Part) => string);
}

type Range = { start: number; end: number };

/** @throws Error when the selector finds no node, or several */
export function rewrite(file: string, source: string, { node, becomes }: Rewrite): string {
  const program = parsed(file, source);
  const found = only(file, source, program, node);
  const text =
    typeof becomes === 'string' ? becomes : becomes(partOf(file, source, program, found));
  const rewritten = source.slice(0, found.start) + text + source.slice(found.end);
  parsed(file, rewritten);
  return rewritten;
}

function parsed(file: string, source: string): Range {
  const { program, errors } = parseSync(file, source);
  if (errors[0]) throw new Error(`${file} cannot be parsed: ${errors[0].message}`);
  return program;
}

function partOf(file: string, source: string, program: Range, node: Range): Part {
  const textOf = ({ start, end }: Range) => source.slice(start, end);
  return {
    text: textOf(node),
    of: (selector) => textOf(only(file, source, node, selector)),
    elsewhere: (selector) => textOf(only(file, source, program, selector)),
  };
}

function only(file: string, source: string, within: Range, selector: string): Range {
  // The two packages describe the same tree by types of their own.
  const root = within as unknown as Parameters<typeof esquery.query>[0];
  const found = esquery.query(root, selector, { visitorKeys }) as unknown as Range[];
  const [one, ...others] = found;
  if (one && others.length === 0) return one;
  const lines = found.map(({ start }) => source.slice(0, start).split('\n').length);
  const where = lines.length > 0 ? `, in lines ${lines.join(', ')}` : '';
  throw new Error(
    `${file}: one node was expected for the selector ${selector}; ${found.length} were found${where}. Name the node more precisely.`,
  );
}
