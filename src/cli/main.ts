import { Command, CommanderError } from 'commander';
import { FanfoldError, messageOf, VERSION } from '../index.ts';
import { addAll, addNamed } from './commands.ts';
import { STATUS, statusOf } from './exit.ts';
import { say } from './log.ts';
import { withOptionalValues } from './resume/optional-values.ts';
import { guardStandardOutput } from './standard-output.ts';
import { withHint } from './usage-hints.ts';

/** Runs a command line and sets the process's exit status. */
export async function main(argv: readonly string[]): Promise<void> {
  // A closed standard error must not stop the command.
  process.stderr.on('error', () => {});
  const end = guardStandardOutput();
  await perform(argv);
  end();
}

/** Ends a parse that needs more than the names of the commands that are not loaded. */
class NeedsAll extends Error {}

/** Runs a command line and sets the process's exit status; its standard output may be closed. */
async function perform(argv: readonly string[]): Promise<void> {
  try {
    await parse(await programOf(argv), argv).catch(async (error: unknown) => {
      if (!(error instanceof NeedsAll)) throw error;
      await parse(await wholeProgram(argv), argv);
    });
  } catch (error) {
    if (error instanceof CommanderError) {
      // commander has printed the message. Help and version are no errors.
      process.exitCode = error.exitCode === 0 ? STATUS.ok : STATUS.usage;
      return;
    }
    const reported = isWithoutFolder(error) ? NO_FOLDER : error;
    process.exitCode = statusOf(reported);
    say(messageOf(reported));
  }
}

async function parse(program: Command, argv: readonly string[]): Promise<void> {
  await program.parseAsync(withOptionalValues(argv), { from: 'user' });
}

/** The command line with the command that the arguments name, and the names of all others. */
async function programOf(argv: readonly string[]): Promise<Command> {
  const needAll = () => {
    throw new NeedsAll();
  };
  // A message may have to name what other commands have.
  const program = named(needAll);
  const [first, second] = argv.filter((arg) => !arg.startsWith('-'));
  await addNamed(program, first === 'help' ? second : first, needAll);
  return program;
}

async function wholeProgram(argv: readonly string[]): Promise<Command> {
  const program = named((text) => {
    const sentence = text
      .replace(/^error: /, '')
      .replace(/\n(?=\(Did you mean)/, ' ')
      .trim();
    say(withHint(sentence, program, argv));
  });
  await addAll(program);
  return program;
}

function named(outputError: (text: string) => void): Command {
  return new Command('fanfold')
    .description('Maps a TypeScript function over thousands to millions of inputs.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({ outputError })
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${command.usage()}` })
    .showHelpAfterError('(fanfold --help lists the commands)')
    .hook('preAction', (_, command) => refuseEmpty(command));
}

/** Refuses empty option values, such as `--output "$FILE"` without a variable FILE. */
function refuseEmpty(command: Command): void {
  for (const option of command.options) {
    const value: unknown = command.getOptionValue(option.attributeName());
    if (value !== '' && !(Array.isArray(value) && value.includes(''))) continue;
    const why = `${option.long} is empty: give it a value, or leave it out.`;
    throw new FanfoldError('BadOption', why);
  }
}

const NO_FOLDER = new FanfoldError(
  'BadOption',
  'The current folder no longer exists: cd to another, and try again.',
);

/** Whether a path was relative to a working folder that has been deleted. */
function isWithoutFolder(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'uv_cwd';
}

if (import.meta.main) await main(process.argv.slice(2));
