import { FanfoldError } from '../index.ts';

/** Exit statuses, as documented in the README. */
export const STATUS = {
  ok: 0,
  /** Some inputs failed or were cancelled. The output has all of them. */
  failed: 1,
  /** The command or its input is wrong. */
  usage: 2,
  /** The run could not continue: access, network or disk. */
  stopped: 3,
} as const;

/** Exit status after a signal, by the shells' convention. */
export const SIGNAL_STATUS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

const USERS_MISTAKES = new Set([
  'BadInput',
  'BadOption',
  'BadTask',
  'UnknownTask',
  'UnknownRun',
  'StoreInUse',
]);

export function statusOf(error: unknown): number {
  const mistake = error instanceof FanfoldError && USERS_MISTAKES.has(error.code);
  return mistake ? STATUS.usage : STATUS.stopped;
}
