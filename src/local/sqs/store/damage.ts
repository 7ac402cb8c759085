/** Something that was kept is not there as it was written. Its message ends a sentence about it. */
export class Damage extends Error {
  override readonly name = 'Damage';
}

/** What an error of SQLite is about, of those that one can do something about. */
export function faultOf(error: unknown): 'busy' | 'full' | 'other' {
  if (!(error instanceof Error) || !('errcode' in error)) return 'other';
  // The low byte says what; the others where. https://www.sqlite.org/rescode.html
  switch (Number(error.errcode) & 0xff) {
    case 5:
      return 'busy';
    case 13:
      return 'full';
    default:
      return 'other';
  }
}
