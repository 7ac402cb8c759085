import type { InputDetail } from '../report/report-data.ts';
import type { Statistics } from '../report/statistics.ts';

/** Most characters of a value that are shown. */
const MOST_CHARACTERS = 20_000;

type Shown = Pick<
  InputDetail,
  'status' | 'output' | 'error' | 'ms' | 'worker' | 'attempts' | 'missing'
>;

const NOTHING: Omit<Shown, 'missing'> = {
  ...{ status: 'unknown', output: undefined, error: undefined, ms: undefined },
  ...{ worker: undefined, attempts: undefined },
};

/** What a result's line says of its input. */
export function shownLine(line: string): Shown {
  const missing: string[] = [];
  const { status, output, error, ms, worker } = JSON.parse(line);
  const shown = (name: string, value: unknown) => {
    const text = value === undefined ? undefined : JSON.stringify(value, undefined, 2);
    if (text === undefined || text.length <= MOST_CHARACTERS) return text;
    missing.push(`Its ${name} is cut: it has ${text.length.toLocaleString('en')} characters.`);
    return text.slice(0, MOST_CHARACTERS);
  };
  const texts = { output: shown('output', output), error: shown('error', error) };
  return { status, ms, worker, attempts: error?.attempts, ...texts, missing };
}

/** What statistics say of an input: whether it is an example of a kind of failure. */
export function shownExample(index: number, statistics: Statistics | undefined): Shown {
  const { ledger, left = [], failures = [] } = statistics ?? {};
  const kind = failures.find(({ indexes }) => indexes.includes(index));
  if (kind) {
    const error = JSON.stringify({ name: kind.code, message: kind.message });
    const missing = ['Attempts and causes are known only where the run is collected.'];
    return { ...NOTHING, status: 'failed', error, missing };
  }
  if (left.includes(index)) return { ...NOTHING, status: undefined, missing: [] };
  const isNone = ledger?.sealed === true && index >= ledger.inputs;
  const why = isNone
    ? `There is no input ${index}: the run has ${ledger.inputs}, from 0.`
    : 'Its input and its result are known only where the run is collected.';
  return { ...NOTHING, missing: [why] };
}
