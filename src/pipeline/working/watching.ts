/** Tells whoever watches: what that throws is shown, and must not change what is watched. */
export function watching(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    console.error(error);
  }
}
