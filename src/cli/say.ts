/** Says something to the human: standard output is for results alone. */
export function say(message: string): void {
  process.stderr.write(`fanfold: ${message}\n`);
}
