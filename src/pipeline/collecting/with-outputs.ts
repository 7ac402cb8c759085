import { FanfoldError, messageOf } from '../../errors.ts';
import { retry } from '../../retry.ts';
import { isTransient, PATIENCE_MS } from '../call-errors.ts';
import { parsed } from '../messages/json-text.ts';
import { mayHavePayloads, type PayloadResult, readPayloadLine } from '../messages/payload.ts';
import { failedLine, type ResultLine } from '../messages/result.ts';
import { ResultBatch } from '../messages/result-message.ts';
import type { RunLedger } from '../run/ledger.ts';
import { PayloadError, type Payloads } from '../run/payloads.ts';

/** Objects of a run's large inputs and outputs. */
export interface RunObjects {
  runId: string;
  ledger: Pick<RunLedger, 'overturn'>;
  /** Whether the run ended early, so that results that were not taken are lost anyway. */
  hasEnded: boolean;
  /** Whether another process needs them after this one. */
  isKept: boolean;
  /** Whether other processes may have stored some. */
  mayBeThere: boolean;
}

type FetchOptions = Pick<RunObjects, 'runId' | 'ledger'> & { payloads: Payloads | undefined };

interface Filled {
  payloads: Payloads | undefined;
  objects: () => RunObjects | undefined;
  /** Called before an error is thrown: the run goes on without this consumer. */
  onError: () => void;
}

/**
 * Puts the outputs that are in objects into the results that a run has received. Deletes the objects
 * once the run is over: also, its consumer must have taken all results, since one that failed may
 * collect them again.
 */
export async function* withOutputs(
  batches: AsyncGenerator<ResultBatch, void>,
  { payloads, objects, onError }: Filled,
): AsyncGenerator<ResultBatch, void> {
  let areTaken = false;
  try {
    for await (const batch of batches) {
      const here = mayHavePayloads(batch.text) ? objects() : undefined;
      if (here) yield* filled(batch, { payloads, ...here }, onError);
      else yield batch;
    }
    areTaken = true;
  } finally {
    const here = objects();
    const isOver = areTaken || here?.hasEnded;
    if (here && isOver && !here.isKept) await payloads?.deleteOf(here.runId, here.mayBeThere);
  }
}

/** Most outputs that are fetched at once, and their bytes, unless a single one has more. */
const AT_ONCE = 4;
const BYTES = 64 * 1024 * 1024;

interface Fetching {
  line: Promise<ResultLine>;
  bytes: number;
}

/**
 * Each result whose output was in an object becomes a batch of its own, so that few are in memory.
 *
 * @throws FanfoldError `RunFailed` when an object can't be fetched here
 */
async function* filled(
  { lines }: ResultBatch,
  options: FetchOptions,
  onError: () => void,
): AsyncGenerator<ResultBatch, void> {
  const fetching = new Map<number, Fetching>();
  let bytes = 0;
  let ahead = 0;
  let others: ResultLine[] = [];
  for (const [at, line] of lines.entries()) {
    while (ahead < lines.length && fetching.size < AT_ONCE) {
      const found = readPayloadLine(lines[ahead]?.text ?? '');
      if (found && fetching.size > 0 && bytes + found.payload.bytes > BYTES) break;
      if (found) {
        const one = { line: fetched(found, options), bytes: found.payload.bytes };
        // The consumer may leave before its turn.
        one.line.catch(() => {});
        fetching.set(ahead, one);
        bytes += one.bytes;
      }
      ahead++;
    }
    const one = fetching.get(at);
    if (one === undefined) {
      others.push(line);
      continue;
    }
    if (others.length > 0) yield ResultBatch.ofLines(others);
    others = [];
    const result = await one.line.catch((error: unknown) => {
      onError();
      throw error;
    });
    yield ResultBatch.ofLines([result]);
    fetching.delete(at);
    bytes -= one.bytes;
  }
  if (others.length > 0) yield ResultBatch.ofLines(others);
}

async function fetched(
  { index, payload, before, after }: PayloadResult,
  { payloads, runId, ledger }: FetchOptions,
): Promise<ResultLine> {
  try {
    if (payloads === undefined)
      throw new PayloadError('noBucket', 'there is no access to its bucket');
    const output = await retry(() => payloads.getOutput(runId, payload), {
      while: (error, _, failingMs) => isTransient(error) && failingMs < PATIENCE_MS,
    });
    // The result is a line.
    if (output.includes('\n') || parsed(output) === undefined) {
      throw new PayloadError('gone', 'its object is not JSON');
    }
    return { index, status: 'ok', text: `${before}${output}${after}` };
  } catch (error) {
    const message = `The output of input ${index}, of ${payload.bytes} bytes, could not be fetched: ${messageOf(error)}.`;
    if (!(error instanceof PayloadError && error.kind === 'gone')) {
      throw new FanfoldError('RunFailed', message, { cause: error });
    }
    ledger.overturn(index);
    const failure = { code: 'Lost', name: 'Lost', message, attempts: 1 } as const;
    return { index, status: 'failed', text: failedLine(index, failure, 0, 'collector') };
  }
}
