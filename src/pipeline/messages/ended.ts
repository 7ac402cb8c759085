import { type Cost, costOf } from '../../planning/cost.ts';
import { readUsage, usageText } from '../../planning/usage.ts';
import { createdAt } from '../names.ts';
import { MESSAGE_VERSION, messageText } from './chunk.ts';
import { parsed } from './json-text.ts';
import { MAX_RUN_INPUTS } from './result.ts';

/** The outcome of a run that has ended. */
export interface RunOutcome {
  /** The run's id. */
  runId: string;
  /** The task's name. */
  task: string;
  /** Number of inputs; undefined if the run ended before it was known. */
  total: number | undefined;
  /** Number of inputs that ended `ok`. */
  ok: number;
  /** Number of inputs that ended `failed`. */
  failed: number;
  /** Number of inputs that ended `cancelled`. */
  cancelled: number;
  /** Results that earlier collectors consumed, whose statuses the last one does not know. */
  elsewhere: number;
  /** Reason why the run ended early, such as `it was cancelled`; undefined if it did not. */
  cause: string | undefined;
  /** Name of the last collector; undefined if the run had none when it ended. */
  collector: string | undefined;
  /** The folder in S3 where its results are; undefined if they were not stored there. */
  output?: string | undefined;
  /** What it has cost, as metered; undefined where AWS bills nothing, or its collector was killed. */
  cost?: Cost | undefined;
}

/** Longest texts: a cause may quote an input. */
const MAX_TEXT = 300;

/** The message that lists a run as ended. */
export function endedBody({ cause, collector, cost, ...outcome }: RunOutcome): string {
  const used = cost && usageText(cost.region, cost.counted);
  const texts = { cause: cause?.slice(0, MAX_TEXT), collector: collector?.slice(0, MAX_TEXT) };
  return messageText(JSON.stringify({ v: MESSAGE_VERSION, ...outcome, ...texts, used }));
}

/** Reads a message of the list of ended runs; undefined if it is not one of this version. */
export function readEnded(body: string): RunOutcome | undefined {
  const read = Object(parsed(body)) as Record<string, unknown>;
  const { v, runId, task, total, ok, failed, cancelled, elsewhere } = read;
  const { cause, collector, output, used } = read;
  const isOne =
    v === MESSAGE_VERSION &&
    typeof runId === 'string' &&
    createdAt(runId) !== undefined &&
    typeof task === 'string' &&
    (total === undefined || isCount(total)) &&
    [cause, collector, output, used].every(
      (text) => text === undefined || typeof text === 'string',
    ) &&
    [ok, failed, cancelled, elsewhere].every(isCount);
  if (!isOne) return undefined;
  const counts = { total, ok, failed, cancelled, elsewhere };
  const counted = readUsage(used as string | undefined);
  const cost = counted && costOf(counted.region, counted.usage);
  return { runId, task, ...counts, cause, collector, output, cost } as RunOutcome;
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_RUN_INPUTS;
}
