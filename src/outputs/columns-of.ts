import type { Columns } from './columns.ts';
import { hasFields, resultOf } from './rows.ts';
import { type SavedShape, Shape } from './shape.ts';
import { kindOf } from './values.ts';

/** Number of results from which columns are derived. */
export const SAMPLE_RESULTS = 1_000;

/** A sample as JSON, which another process continues. */
export interface SavedSample {
  taken: number;
  shape: SavedShape;
}

/** The first results of a run, as far as its columns follow from them. Only `ok` ones count. */
export class ColumnSample {
  readonly #most: number;
  readonly #shape: Shape;
  #taken: number;

  /** @param saved by the process before. @default a new sample */
  constructor(saved?: SavedSample, most = SAMPLE_RESULTS) {
    this.#most = most;
    this.#shape = new Shape(saved?.shape);
    this.#taken = saved?.taken ?? 0;
  }

  /** Adds results, until there are enough. */
  add(lines: Iterable<string>): void {
    if (this.isFull) return;
    for (const line of lines) {
      this.#add(line);
      if (this.isFull) return;
    }
  }

  /** Whether the columns no longer depend on further results. */
  get isFull(): boolean {
    return this.#taken >= this.#most;
  }

  /** The columns of these results; undefined if there are none. */
  columns(): Columns | undefined {
    return this.#taken === 0 ? undefined : this.#shape.columns();
  }

  save(): SavedSample {
    return { taken: this.#taken, shape: this.#shape.save() };
  }

  #add(line: string): void {
    const result = resultOf(line);
    if (result?.status !== 'ok') return;
    const { output } = result;
    this.#taken++;
    if (!hasFields(output)) {
      this.#shape.addValue(kindOf(output));
      return;
    }
    this.#shape.addObject();
    for (const name of Object.keys(output)) this.#shape.addField(name, kindOf(output[name]));
  }
}

/** Derives columns from the first results of a run. Without any, there is one of JSON. */
export function columnsOf(lines: Iterable<string>): Columns {
  const sample = new ColumnSample();
  sample.add(lines);
  return sample.columns() ?? new Shape().columns();
}
