import { createInterface } from 'node:readline';
import { FanfoldError } from '../index.ts';
import { printable } from '../inputs/printable.ts';
import { checkOutput, OutputTaken, type Replacing } from './check-output.ts';
import type { InputFile } from './inputs/index.ts';

/** Flags that decide whether a command may ask. */
export interface AskFlags extends Replacing {
  input?: string;
  quiet?: boolean;
}

type Choice = 'resume' | 'overwrite' | 'stop';

/**
 * Checks an output like `checkOutput`. If results are there, and a person is at the terminal, it
 * asks whether to resume or to replace them; otherwise it refuses.
 *
 * @returns the flags that the answer adds
 * @throws FanfoldError when the output can't be used, or the answer is to stop
 */
export async function settleOutput(
  output: string | undefined,
  reads: readonly InputFile[],
  flags: AskFlags,
  signal: AbortSignal,
): Promise<Replacing> {
  try {
    checkOutput(output, reads, flags);
    return {};
  } catch (error) {
    if (!(error instanceof OutputTaken) || !canAsk(flags)) throw error;
    const choice = await ask(error, signal);
    if (choice !== 'stop') return { [choice]: true };
    throw new FanfoldError('BadOption', `stopped: ${output} is unchanged.`, { cause: error });
  }
}

/** True at a terminal whose input does not provide the run's inputs. */
function canAsk({ input, quiet }: AskFlags): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true && input !== '-' && !quiet;
}

/** Asks until there is an answer. The end of the terminal's input means to stop. */
async function ask({ fact, isResumable }: OutputTaken, signal: AbortSignal): Promise<Choice> {
  const choices: readonly Choice[] = isResumable
    ? ['resume', 'overwrite', 'stop']
    : ['overwrite', 'stop'];
  const shown = choices.map((choice) => `[${choice.charAt(0)}]${choice.slice(1)}`);
  const question = `fanfold: ${printable(fact)} ${shown.slice(0, -1).join(', ')} or ${shown.at(-1)}? [stop] `;
  const { stdin, stderr } = process;
  // Without line editing, the terminal itself turns Ctrl-C into a signal.
  const lines = createInterface({ input: stdin, terminal: false, signal });
  try {
    stderr.write(question);
    for await (const line of lines) {
      const answer = line.trim().toLowerCase();
      if (answer === '') return 'stop';
      const choice = choices.find((one) => one.startsWith(answer));
      if (choice !== undefined) return choice;
      stderr.write(question);
    }
  } finally {
    lines.close();
  }
  stderr.write('\n');
  signal.throwIfAborted();
  return 'stop';
}
