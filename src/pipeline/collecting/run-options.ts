import { FanfoldError } from '../../errors.ts';
import { costOf } from '../../planning/cost.ts';
import { type CostOptions, costLimitOf } from '../messages/cost-limit.ts';
import { checkFailing, type FailingText } from '../messages/failing.ts';
import { type Bounds, checkBounds } from '../messages/flow.ts';
import { checkMaxFailures } from '../messages/max-failures.ts';
import { checkPriority, type Priority } from '../messages/priority.ts';
import { createdAt, DEADLINE_SECONDS, MAX_DEADLINE_SECONDS, newRunId } from '../names.ts';
import type { Deployment } from '../run/deployment.ts';
import { RunLedger } from '../run/ledger.ts';

/** Options of `map`. */
export interface RunOptions extends Bounds, CostOptions {
  /**
   * Whether inputs that take long at the run's end are run a second time, elsewhere; the first
   * result wins. The task must be `idempotent`.
   * @default false
   */
  hedge?: boolean | undefined;
  /**
   * Share of inputs that fail within a time, such as `'50%/1m'`, at which the run pauses itself: it
   * runs single inputs only, whose attempts do not count, until three in a row are ok. Of at least
   * 20 inputs, those are counted whose first attempt fails. The time is from `1s` to `24h`.
   * @default the run never pauses itself
   */
  pauseWhenFailing?: FailingText | undefined;
  /**
   * Priority between the runs of one deployment, while they wait for the same workers: best effort,
   * by SQS's fair queues. It never holds up a run when workers are free.
   * @default 'normal'
   */
  priority?: Priority | undefined;
  /**
   * Yields results in input order. Memory stays bounded: seeding waits for the oldest input.
   * @default false
   */
  ordered?: boolean;
  /** Aborting it ends the run at once: iterating throws its reason. @default none */
  signal?: AbortSignal;
  /**
   * Seconds after which the run ends, whatever workers do. Inputs that then have no result end
   * `failed` with the code `Lost`. At most 1123200, 13 days.
   * @default 86400, a day
   */
  deadlineSeconds?: number | undefined;
  /**
   * Number of inputs that may end `failed`, or their share (`'5%'`). One more failure cancels the
   * run. A share is of all inputs if their number is known beforehand, otherwise of the inputs read
   * so far, but of at least a hundred.
   * @default any number
   */
  maxFailures?: number | `${number}%` | undefined;
  /**
   * Ledger of an earlier run over the same inputs. Inputs that have a result in it are not run
   * again, and count in this run's ledger. The run enters its results in it.
   * @default none
   */
  earlier?: RunLedger | undefined;
  /**
   * Name of the collector. While it is alive, a collector of another name can't collect the run.
   * One of the same name can resume at once, even if the previous one was killed.
   * @default a random name
   */
  collector?: string | undefined;
  /**
   * A run of the same task and inputs to resume, which has lost its collector.
   * @default none: a new run
   */
  resume?: {
    /** The run's id. */
    runId: string;
    /** Number of inputs, from the first, that are certain to be seeded. @default 0 */
    seeded?: number;
  };
  /** With it, results are stored in S3: see `StoredOptions`. @default none: the run yields them */
  output?: undefined;
}

/** Calls `end` when `signal` aborts; unsubscribes once `ended` settles. */
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

/** Smallest number of inputs that a percentage is taken of: a share of fewer says little. */
const TELLING_INPUTS = 100;

/** @throws FanfoldError `BadOption` when one is out of range, or does not fit the deployment */
export function boundsOf(options: RunOptions, deployment: Deployment) {
  const { concurrency, rate, hedge, pauseWhenFailing, priority, maxCost, pauseAtCost } = options;
  checkBounds({ concurrency, rate });
  checkFailing(pauseWhenFailing);
  checkPriority(priority);
  budgetOf(options);
  if (costLimitOf(options) !== undefined) checkMetered(deployment);
  return { concurrency, rate, hedge, pauseWhenFailing, priority, maxCost, pauseAtCost };
}

/** @throws FanfoldError `BadOption` where the cost of a run is not known */
function checkMetered({ metered, prices }: Deployment): void {
  if (metered === undefined) {
    throw new FanfoldError(
      'BadOption',
      '`maxCost` needs a run that is metered: on a stack, with `stack` of connect(), or on this machine as if on one, with `asIf`.',
    );
  }
  const { region } = metered;
  if (costOf(region, undefined, prices).usd !== undefined) return;
  throw new FanfoldError(
    'BadOption',
    `\`maxCost\` needs the prices of ${region}, which are not known here: give them with \`prices\` of connect(), or --prices.`,
  );
}

/** @throws FanfoldError `BadOption` when it is out of range */
export function deadlineMs({ deadlineSeconds = DEADLINE_SECONDS }: RunOptions): number {
  const fits = typeof deadlineSeconds === 'number' && deadlineSeconds > 0;
  if (fits && deadlineSeconds <= MAX_DEADLINE_SECONDS) return deadlineSeconds * 1000;
  throw new FanfoldError(
    'BadOption',
    `\`deadlineSeconds\` must be a number greater than 0 and at most ${MAX_DEADLINE_SECONDS} (13 days); got ${deadlineSeconds}.`,
  );
}

function check(fits: boolean, option: string, what: string): void {
  if (!fits)
    throw new FanfoldError('BadOption', `\`${option}\` must be ${what}; got another value.`);
}

/** Whether too many inputs have failed. @param total number of inputs, if known */
export type Budget = (ledger: RunLedger, total: number | undefined) => boolean;

/** @throws FanfoldError `BadOption` when it is neither a number nor a percentage */
export function budgetOf({ maxFailures }: RunOptions): Budget | undefined {
  const budget = checkMaxFailures(maxFailures);
  if (budget === undefined) return undefined;
  const { most, isShare } = budget;
  if (!isShare) return ({ failed }) => failed > most;
  return ({ failed, inputs, settled, sealed }, total) => {
    const of = total ?? (sealed ? inputs : Math.max(inputs, settled, TELLING_INPUTS));
    return failed * 100 > most * of;
  };
}

/** The run's ledger at its start. @throws FanfoldError `BadOption` when an option is invalid */
export function ledgerOf({ earlier, resume, ordered, signal }: RunOptions): RunLedger {
  check(signal === undefined || signal instanceof AbortSignal, 'signal', 'an AbortSignal');
  check(earlier === undefined || earlier instanceof RunLedger, 'earlier', 'a RunLedger');
  const { runId, seeded = 0 } = resume ?? { runId: newRunId() };
  check(typeof runId === 'string' && createdAt(runId) !== undefined, 'resume.runId', 'a run id');
  check(Number.isSafeInteger(seeded) && seeded >= 0, 'resume.seeded', 'a whole number from 0');
  const ledger = earlier ?? new RunLedger();
  // Results of seeded inputs may arrive before the inputs are read again.
  if (resume) ledger.open();
  else ledger.close();
  ledger.expect(seeded);
  if (ordered) leadingOf(ledger);
  return ledger;
}

/**
 * Number of inputs, from the first, that have an earlier result.
 *
 * @throws FanfoldError `BadOption` when later inputs have one too: they can't be yielded in order
 */
export function leadingOf(earlier: RunLedger): number {
  const { leading, settled } = earlier;
  if (settled === leading) return leading;
  throw new FanfoldError(
    'BadOption',
    `With \`ordered\`, \`earlier\` must hold results of the first inputs without a gap; input ${leading} has none.`,
  );
}
