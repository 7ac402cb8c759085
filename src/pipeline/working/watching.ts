/** Calls an observer. Its errors are printed, and must not affect the observed code. */
export function watching(observe: () => void): void {
  try {
    observe();
  } catch (error) {
    console.error(error);
  }
}
