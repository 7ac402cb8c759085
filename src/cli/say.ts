import { above } from './live-line.ts';

/** Says something to the human: standard output is for results alone. */
export function say(message: string): void {
  process.stderr.write(above(`fanfold: ${message}\n`));
}
