import { FanfoldError } from '../../errors.ts';
import { createdAt, DEADLINE_SECONDS, MAX_DEADLINE_SECONDS, newRunId } from '../names.ts';
import { RunLedger } from '../run/ledger.ts';

export interface RunOptions {
  /**
   * Results in input order. Memory stays bounded: seeding waits for the oldest input.
   * @default false
   */
  ordered?: boolean;
  /** Aborting it ends the run at once: iterating throws its reason. */
  signal?: AbortSignal;
  /**
   * Seconds after which the run ends, whatever workers do: what has no result then ends `failed` as
   * `Lost`. Up to 1123200, 13 days.
   * @default 86400, a day
   */
  deadlineSeconds?: number;
  /**
   * How many inputs may end `failed`, or which part of them (`'5%'`): one more, and the run is
   * cancelled. A part is of all inputs where their number is known beforehand, and else of those
   * that were read, but of a hundred at least.
   * @default any number
   */
  maxFailures?: number | `${number}%`;
  /**
   * Which inputs have their results from before, as an earlier run over the same inputs left them:
   * they are not run again, and stand in the ledger. The run goes on entering results in it.
   */
  earlier?: RunLedger;
  /**
   * Who takes the results. Another can't while this one is there; whoever comes back under the same
   * name goes on at once, though the one before was not seen to leave.
   * @default a name of its own
   */
  collector?: string | undefined;
  /** A run of the same task and inputs to go on with, which lost its collector. */
  resume?: {
    runId: string;
    /** How many inputs, from the first, were seeded for certain. */
    seeded?: number;
  };
}

/** Has a signal end something, as long as that goes on. */
export function onAbort(
  signal: AbortSignal,
  ended: Promise<void>,
  end: (reason: unknown) => void,
): void {
  const onAbort = () => end(signal.reason);
  signal.addEventListener('abort', onAbort);
  void ended.then(() => signal.removeEventListener('abort', onAbort));
  if (signal.aborted) onAbort();
}

/** A part of fewer inputs tells little. */
const TELLING_INPUTS = 100;

/** @throws FanfoldError `BadOption` when it is out of range */
export function deadlineMs({ deadlineSeconds = DEADLINE_SECONDS }: RunOptions): number {
  const fits = typeof deadlineSeconds === 'number' && deadlineSeconds > 0;
  if (fits && deadlineSeconds <= MAX_DEADLINE_SECONDS) return deadlineSeconds * 1000;
  throw new FanfoldError(
    'BadOption',
    `\`deadlineSeconds\` is a number over 0, up to ${MAX_DEADLINE_SECONDS} (13 days); ${deadlineSeconds} is not.`,
  );
}

function check(fits: boolean, option: string, what: string): void {
  if (!fits) throw new FanfoldError('BadOption', `\`${option}\` is ${what}; something else came.`);
}

/** Whether too many inputs have failed. @param total of the inputs, where it is known */
export type Budget = (ledger: RunLedger, total: number | undefined) => boolean;

/** @throws FanfoldError `BadOption` when it is neither a number nor a percentage */
export function budgetOf({ maxFailures }: RunOptions): Budget | undefined {
  if (maxFailures === undefined) return undefined;
  const [, number, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(String(maxFailures)) ?? [];
  const most = Number(number);
  const fits = percent ? most <= 100 : Number.isSafeInteger(most);
  if (number === undefined || !fits) {
    throw new FanfoldError(
      'BadOption',
      `\`maxFailures\` is a whole number from 0, or a percentage like "5%"; ${JSON.stringify(maxFailures)} is not.`,
    );
  }
  if (!percent) return ({ failed }) => failed > most;
  return ({ failed, inputs, settled, sealed }, total) => {
    const of = total ?? (sealed ? inputs : Math.max(inputs, settled, TELLING_INPUTS));
    return failed * 100 > most * of;
  };
}

/** What is entered from the beginning. @throws FanfoldError `BadOption` when it can't be in order */
export function ledgerOf({ earlier, resume, ordered, signal }: RunOptions): RunLedger {
  check(signal === undefined || signal instanceof AbortSignal, 'signal', 'an AbortSignal');
  check(earlier === undefined || earlier instanceof RunLedger, 'earlier', 'a RunLedger');
  const { runId, seeded = 0 } = resume ?? { runId: newRunId() };
  check(typeof runId === 'string' && createdAt(runId) !== undefined, 'resume.runId', 'a run id');
  check(Number.isSafeInteger(seeded) && seeded >= 0, 'resume.seeded', 'a whole number from 0');
  const ledger = earlier ?? new RunLedger();
  // Results of what was seeded may be there before the inputs are read once more.
  if (resume) ledger.open();
  else ledger.close();
  ledger.expect(seeded);
  if (ordered) leadingOf(ledger);
  return ledger;
}

/**
 * How many inputs, from the first, have their results from before.
 *
 * @throws FanfoldError `BadOption` when later ones have them too: those can't be handed on in order
 */
export function leadingOf(earlier: RunLedger): number {
  const { leading, settled } = earlier;
  if (settled === leading) return leading;
  throw new FanfoldError(
    'BadOption',
    `With \`ordered\`, \`earlier\` results are of the first inputs, without a gap; these have one at input ${leading}.`,
  );
}
