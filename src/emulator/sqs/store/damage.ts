/** Something that was kept is not there as it was written. Its message ends a sentence about it. */
export class Damage extends Error {
  override readonly name = 'Damage';
}

/** What an error is about, of those that one can do something about. */
export function faultOf(error: unknown): 'busy' | 'full' | 'files' | 'other' {
  if (!(error instanceof Error)) return 'other';
  // Of the file system's errors, as of mkdir's.
  if ('syscall' in error) return 'code' in error && error.code === 'ENOSPC' ? 'full' : 'files';
  // SQLite's: the low byte says what; the others where. https://www.sqlite.org/rescode.html
  switch ('errcode' in error ? Number(error.errcode) & 0xff : 0) {
    case 5:
      return 'busy';
    case 13:
      return 'full';
    case 3: // may not
    case 8: // may only read
    case 14: // can't open
      return 'files';
    default:
      return 'other';
  }
}
