import { FanfoldError } from '../errors.ts';

/** Names of a deployment's parts, derived from one name. */
export interface Names {
  readonly name: string;
  readonly tasks: string;
  readonly dead: string;
  /** FIFO queue for the chunks of runs with bounds. */
  readonly lanes: string;
  readonly results: string;
  /** Queue that lists the runs that ended in the last day. */
  readonly ended: string;
  readonly seed: string;
  readonly worker: string;
  /** Managed policy of people who start, follow, collect and cancel runs, without its region. */
  readonly operator: string;
  /** Managed policy of machines that run tasks, without its region. */
  readonly work: string;
  readonly burst: string;
  /** Function that collects runs whose results are stored in S3. */
  readonly collector: string;
  run(runId: string): string;
}

// 40 + "-run-" + a run id of 27 fit in a queue name's 80 characters with room for longer ids.
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/;

/** Such a name could make a deployment's queues look like those of another one's runs. */
const LIKE_A_RUN = /-run(-|$)/;

export function namesOf(name: string): Names {
  if (!NAME.test(name)) {
    throw new FanfoldError(
      'BadOption',
      `A deployment's name must be 1 to 40 letters, digits, "-" and "_", and start with a letter or digit; got "${name}".`,
    );
  }
  if (LIKE_A_RUN.test(name)) {
    throw new FanfoldError(
      'BadOption',
      `A deployment's name must not end in "-run" or contain "-run-", which names of run queues contain; got "${name}". Choose another name.`,
    );
  }
  return {
    name,
    tasks: `${name}-tasks`,
    dead: `${name}-tasks-dead`,
    lanes: `${name}-lanes.fifo`,
    results: `${name}-results`,
    ended: `${name}-ended`,
    seed: `${name}-seed`,
    worker: `${name}-worker`,
    operator: `${name}-operator`,
    work: `${name}-work`,
    burst: `${name}-burst`,
    collector: `${name}-collector`,
    run: (runId) => `${name}-run-${runId}`,
  };
}

const RUN_ID = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})-[A-Za-z0-9]{8,16}$/;
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * A new run id: its creation time in UTC, to the millisecond, so that ids sort by time, and 40
 * random bits: `20261123T165514123-k3f9x2ab`.
 *
 * @param random text after the time, in place of random bits: 8 to 16 letters and digits
 */
export function newRunId(now = Date.now(), random = randomDigits(8)): string {
  return `${new Date(now).toISOString().replace(/[-:.Z]/g, '')}-${random}`;
}

function randomDigits(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => DIGITS[byte % 32]).join('');
}

/** Creation time of the run, in milliseconds since 1970; undefined if this is not a run id. */
export function createdAt(runId: string): number | undefined {
  const match = RUN_ID.exec(runId);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, ms] = match;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`);
  return Number.isNaN(time) ? undefined : time;
}

/** Default time from a run's creation to its deadline. */
export const DEADLINE_SECONDS = 86_400;

/** The longest: results stay in a run's queue for 14 days, and a day is left to collect them. */
export const MAX_DEADLINE_SECONDS = 13 * DEADLINE_SECONDS;
