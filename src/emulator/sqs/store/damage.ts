import { isBusy, resultCodeOf } from '../../sqlite.ts';

/** Stored data is missing or not as written. The message ends a sentence about it. */
export class Damage extends Error {
  override readonly name = 'Damage';
}

/** Classifies an error by what the user can do about it. */
export function faultOf(error: unknown): 'busy' | 'full' | 'files' | 'other' {
  if (!(error instanceof Error)) return 'other';
  // A file system error, for example from mkdir.
  if ('syscall' in error) return 'code' in error && error.code === 'ENOSPC' ? 'full' : 'files';
  if (isBusy(error)) return 'busy';
  switch (resultCodeOf(error)) {
    case 13: // SQLITE_FULL
      return 'full';
    case 3: // SQLITE_PERM
    case 8: // SQLITE_READONLY
    case 14: // SQLITE_CANTOPEN
      return 'files';
    default:
      return 'other';
  }
}
