/** Calls an observer. Its errors are printed, and must not affect the observed code. */
export function watching(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    console.error(error);
  }
}
