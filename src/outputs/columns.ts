/**
 * Type of a column's values. Each column may also have nulls.
 *
 * - `boolean`: true and false.
 * - `integer`: whole numbers of 64 bits.
 * - `double`: numbers as JavaScript has them.
 * - `text`: strings.
 * - `json`: any values, as JSON text.
 */
export type ColumnType = 'boolean' | 'integer' | 'double' | 'text' | 'json';

export interface Column {
  /** Name in the file: no two columns have the same, whatever the case of its letters. */
  name: string;
  type: ColumnType;
  /** The field of the output that the column holds; undefined if it holds the whole output. */
  field?: string;
}

/**
 * The columns of a table of results, after `index`: one for each field of the outputs, or a single
 * one, `output`. They are JSON, so that all parts of a run can have the same.
 */
export type Columns = readonly Column[];

/** Receives a result line that the table cannot hold, and the reason as a sentence. */
export type OnMisfit = (line: string, reason: string) => void;

/** Receives the index of a result that is in the table. */
export type OnRow = (index: number) => void;
