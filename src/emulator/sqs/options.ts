import { FanfoldError } from '../../errors.ts';
import { isObject } from './engine/json-value.ts';
import type { QueueChange } from './engine/queues.ts';
import type { Store } from './store/store.ts';

/** Options of an `Sqs`. */
export interface SqsOptions {
  /** The account of callers that name none. @default '000000000000' */
  accountId?: string;
  /** The region of callers that name none. @default 'us-east-1' */
  region?: string;
  /**
   * Start of all queue URLs, such as `https://sqs.eu-west-1.amazonaws.com`.
   * @default the address that the caller used
   */
  url?: string;
  /**
   * Whether to refuse a deleted queue's name for 60 s, and a second purge within 60 s, as on AWS.
   * @default true
   */
  strictTiming?: boolean;
  /**
   * Time for which FIFO queues remember deduplication ids and receive attempts, in seconds; with 0
   * they don't.
   * @default 300, as on AWS
   */
  fifoMemorySeconds?: number;
  /**
   * Whether answers carry the MD5 of each message's body, as on AWS. SDK clients refuse answers
   * without it, unless they are created with `md5: false`.
   * @default true
   */
  bodyDigests?: boolean;
  /** Whether the process may exit while receives wait. @default false */
  background?: boolean;
  /**
   * The store of the queues, as returned by `openStore`. Each answer then waits until the changes
   * that it reports are on disk. Closing the `Sqs` closes the store.
   * @default none: the queues end with the process
   */
  store?: Store | undefined;
  /** Called when a queue was created, restored from the store, or deleted. @default none */
  onQueue?: (change: QueueChange) => void;
}

type Kind = [expected: string, fits: (value: unknown) => boolean];

const FLAG: Kind = ['true or false', (value) => typeof value === 'boolean'];

const KINDS: Record<keyof SqsOptions, Kind> = {
  accountId: ['a string of 12 digits', (value) => /^\d{12}$/.test(textOf(value))],
  region: ['a string such as us-east-1', (value) => /^[\w-]{1,64}$/.test(textOf(value))],
  // Checked more closely where it is used.
  url: ['a URL, as a string', (value) => typeof value === 'string'],
  strictTiming: FLAG,
  fifoMemorySeconds: ['0 or more', (value) => typeof value === 'number' && value >= 0],
  bodyDigests: FLAG,
  background: FLAG,
  store: ['a store that openStore() returned', (value) => isObject(value) && 'load' in value],
  onQueue: ['a function', (value) => typeof value === 'function'],
};

/** Options that a command line names differently. */
const SUBJECTS: Partial<Record<keyof SqsOptions, string>> = {
  accountId: 'An AWS account id',
  region: 'A region',
};

/** Names of the options of an `Sqs`. */
export const OF_SQS = Object.keys(KINDS) as (keyof SqsOptions)[];

/** @throws FanfoldError `BadOption` for an unknown option, or one of another kind */
export function checkSqsOptions(options: SqsOptions): void {
  checkKeys(options, OF_SQS, 'new Sqs()');
  for (const name of OF_SQS) {
    const value = options[name];
    const [expected, fits] = KINDS[name];
    if (value === undefined || fits(value)) continue;
    const subject = SUBJECTS[name] ?? `\`${name}\``;
    throw new FanfoldError('BadOption', `${subject} must be ${expected}; got ${shown(value)}.`);
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return isObject(value) ? 'an object' : String(value);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Refuses an unknown key, which would be ignored. */
export function checkKeys(given: object, known: readonly string[], at: string): void {
  if (!isObject(given)) throw wrong(at, 'an object', given);
  const stray = Object.keys(given).find((key) => !known.includes(key));
  if (stray === undefined) return;
  throw new FanfoldError(
    'BadOption',
    `${at} has no key "${stray}". Known keys: ${known.join(', ')}.`,
  );
}

export function wrong(at: string, expected: string, value: unknown): FanfoldError {
  const came = value === undefined ? 'nothing' : JSON.stringify(value);
  return new FanfoldError('BadOption', `${at}: expected ${expected}; got ${came}.`);
}
