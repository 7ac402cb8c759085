/** Stored data is missing or not as written. The message ends a sentence about it. */
export class Damage extends Error {
  override readonly name = 'Damage';
}

/** Classifies an error by what the user can do about it. */
export function faultOf(error: unknown): 'busy' | 'full' | 'files' | 'other' {
  if (!(error instanceof Error)) return 'other';
  // A file system error, for example from mkdir.
  if ('syscall' in error) return 'code' in error && error.code === 'ENOSPC' ? 'full' : 'files';
  // A SQLite error: the low byte is the primary result code. https://www.sqlite.org/rescode.html
  switch ('errcode' in error ? Number(error.errcode) & 0xff : 0) {
    case 5:
      return 'busy';
    case 13:
      return 'full';
    case 3: // SQLITE_PERM
    case 8: // SQLITE_READONLY
    case 14: // SQLITE_CANTOPEN
      return 'files';
    default:
      return 'other';
  }
}
