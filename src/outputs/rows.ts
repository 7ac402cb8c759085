import type { Columns, ColumnType, OnMisfit, OnRow } from './columns.ts';
import { isRawNumber, parseExactly } from './exact-json.ts';
import { type Cell, cellOf, describe } from './values.ts';

/** One result in a table. */
export interface Row {
  index: number;
  cells: Cell[];
}

/** The fields of a result line that tables need. */
interface OkLine {
  index: number;
  status: string;
  output?: unknown;
}

/** The result in a line; undefined if it is nested more deeply than the stack can follow. */
export function resultOf(line: string): OkLine | undefined {
  return followed(() => parsed(line));
}

// The cast: the pipeline writes lines with these fields.
const parsed = (line: string) => parseExactly(line) as OkLine;

/** What a function returns; undefined if a value is nested more deeply than the stack can follow. */
function followed<T>(follow: () => T): T | undefined {
  try {
    return follow();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Whether an output has fields. */
export function hasFields(output: unknown): output is Record<string, unknown> {
  return (
    typeof output === 'object' && output !== null && !Array.isArray(output) && !isRawNumber(output)
  );
}

const TOO_DEEP = 'The output is nested too deeply for a table.';

const NAMES: Readonly<Record<ColumnType, string>> = {
  boolean: 'booleans',
  integer: 'whole numbers of 64 bits',
  double: 'numbers',
  text: 'strings',
  json: 'JSON text',
};

export interface RowOptions {
  columns: Columns;
  /** Receives each line that the columns do not fit. */
  onMisfit: OnMisfit;
  /** Receives the index of each row. @default not needed */
  onRow?: OnRow;
}

/** Reads result lines into the rows of a table. */
export class RowReader {
  readonly #columns: Columns;
  readonly #onMisfit: OnMisfit;
  readonly #onRow: OnRow | undefined;
  readonly #places: ReadonlyMap<string, number>;
  readonly #hasFields: boolean;

  constructor({ columns, onMisfit, onRow }: RowOptions) {
    this.#columns = columns;
    this.#onMisfit = onMisfit;
    this.#onRow = onRow;
    this.#hasFields = columns.every(({ field }) => field !== undefined);
    this.#places = new Map(columns.map(({ field }, at) => [field ?? '', at]));
  }

  /** The row of a result; undefined if the columns do not fit it. */
  read(line: string): Row | undefined {
    const row = followed(() => this.#read(parsed(line))) ?? TOO_DEEP;
    if (typeof row === 'string') {
      this.#onMisfit(line, row);
      return undefined;
    }
    this.#onRow?.(row.index);
    return row;
  }

  /** The row, or a sentence: why the columns do not fit it. */
  #read({ index, status, output }: OkLine): Row | string {
    if (status !== 'ok')
      return `Input ${index}: a table has results that are ok; this is ${status}.`;
    const cells: Cell[] = Array(this.#columns.length).fill(null);
    const wrong = this.#hasFields ? this.#fillFields(output, cells) : this.#fill(0, output, cells);
    return wrong === undefined ? { index, cells } : `Input ${index}: ${wrong}.`;
  }

  #fillFields(output: unknown, cells: Cell[]): string | undefined {
    if (output === null || output === undefined) return undefined;
    if (!hasFields(output)) {
      return `expected an object, as the table has a column for each field; the output is ${describe(output)}`;
    }
    for (const name of Object.keys(output)) {
      const at = this.#places.get(name);
      if (at === undefined) return `the table has no column for ${fieldName(name)}`;
      const wrong = this.#fill(at, output[name], cells);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }

  #fill(at: number, value: unknown, cells: Cell[]): string | undefined {
    const { type = 'json', field } = this.#columns[at] ?? {};
    const cell = cellOf(value, type);
    if (cell === undefined) {
      const what = field === undefined ? 'the output' : fieldName(field);
      return `${what} is ${describe(value)}, and its column has ${NAMES[type]}`;
    }
    cells[at] = cell;
    return undefined;
  }
}

const LONGEST_NAME = 100;

function fieldName(name: string): string {
  const shown = name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}...` : name;
  return `the field ${JSON.stringify(shown)}`;
}
