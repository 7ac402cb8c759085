import type { Failure, RunLedger } from '../index.ts';
import { failedLine } from '../internal.ts';
import type { BadInputs } from './bad-inputs.ts';
import type { RunOutput } from './resume/index.ts';

/** The reporter of these results: no worker has seen the inputs. */
const READER = 'reader';

/**
 * Passes inputs on, and ends the bad ones among them as `failed`: their results are written, and
 * entered in the ledger before the run sees the inputs, so that it does not run them.
 */
export async function* reportBad(
  batches: AsyncIterable<string[]>,
  bad: BadInputs,
  { write, failures }: Pick<RunOutput, 'write' | 'failures'>,
  ledger: RunLedger,
): AsyncGenerator<string[], void> {
  for await (const batch of batches) {
    let lines = '';
    for (const { index, text, reason, place } of bad.drain()) {
      ledger.expect(index + 1);
      // An earlier command may have written it.
      if (ledger.has(index) || !ledger.enter(index, 'failed')) continue;
      const name = 'InvalidInput';
      const error: Failure = { code: name, name, message: reason, attempts: 0, place, text };
      failures.add({ index, status: 'failed', error, ms: 0, worker: READER });
      lines += `${failedLine(index, error, 0, READER)}\n`;
    }
    if (lines !== '') await write(lines);
    yield batch;
  }
}
