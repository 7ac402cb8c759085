import { FanfoldError, messageOf } from '../errors.ts';

/** Remedies for exhausted resources or limits, by error code. */
const REMEDIES: Record<string, string> = {
  EMFILE:
    'This process has too many files open: raise the limit (`ulimit -n 4096`), or start fewer workers.',
  ENFILE: 'This machine has too many files open: end other programs, or raise its limit.',
  EAGAIN:
    'This user has too many processes: raise the limit (`ulimit -u`), or start fewer workers.',
  ENOMEM: 'This machine has no memory left: start fewer workers.',
};

/**
 * The error for a worker process that this machine has no room for; undefined for an error of
 * another kind.
 */
export function shortageOf(error: unknown): FanfoldError | undefined {
  const { code = '' } = Object(error) as NodeJS.ErrnoException;
  const remedy = REMEDIES[code];
  if (remedy === undefined) return undefined;
  const message = `A worker process cannot be started (${messageOf(error)}). ${remedy}`;
  return new FanfoldError('RunFailed', message, { cause: error });
}
