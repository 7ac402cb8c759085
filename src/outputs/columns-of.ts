import type { Columns } from './columns.ts';
import { hasFields, resultOf } from './rows.ts';
import { Shape } from './shape.ts';
import { kindOf } from './values.ts';

/** Number of results from which columns are derived. */
export const SAMPLE_RESULTS = 1_000;

/** Derives columns from the first results of a run. Only those that are `ok` count. */
export function columnsOf(lines: Iterable<string>): Columns {
  const shape = new Shape();
  let taken = 0;
  for (const line of lines) {
    if (taken === SAMPLE_RESULTS) break;
    const result = resultOf(line);
    if (result?.status !== 'ok') continue;
    const { output } = result;
    taken++;
    if (!hasFields(output)) {
      shape.addValue(kindOf(output));
      continue;
    }
    shape.addObject();
    for (const name of Object.keys(output)) shape.addField(name, kindOf(output[name]));
  }
  return shape.columns();
}
