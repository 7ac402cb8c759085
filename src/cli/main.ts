import { Command, CommanderError } from 'commander';
import { FanfoldError, messageOf, VERSION } from '../index.ts';
import { addCancel } from './cancel.ts';
import { addCollect } from './collect.ts';
import { addDoctor } from './doctor.ts';
import { STATUS, statusOf } from './exit.ts';
import { addInit } from './init.ts';
import { say } from './log.ts';
import { addLogs } from './logs.ts';
import { addRedrive } from './redrive.ts';
import { addReport } from './report.ts';
import { addResults } from './results.ts';
import { withOptionalValues } from './resume/optional-values.ts';
import { addRun } from './run.ts';
import { addRuns } from './runs.ts';
import { addServe } from './serve.ts';
import { addSet } from './set.ts';
import { addSqs } from './sqs.ts';
import { guardStandardOutput } from './standard-output.ts';
import { addTasks } from './tasks.ts';
import { addUi } from './ui.ts';
import { withHint } from './usage-hints.ts';
import { addWait } from './wait.ts';
import { addWork } from './work.ts';

/** Runs a command line and sets the process's exit status. */
export async function main(argv: readonly string[]): Promise<void> {
  // A closed standard error must not stop the command.
  process.stderr.on('error', () => {});
  const end = guardStandardOutput();
  await perform(argv);
  end();
}

/** Runs a command line and sets the process's exit status; its standard output may be closed. */
async function perform(argv: readonly string[]): Promise<void> {
  const program = new Command('fanfold')
    .description('Maps a TypeScript function over thousands to millions of inputs.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({
      outputError: (text) => {
        const sentence = text
          .replace(/^error: /, '')
          .replace(/\n(?=\(Did you mean)/, ' ')
          .trim();
        say(withHint(sentence, program, argv));
      },
    })
    .showHelpAfterError('(fanfold --help lists the commands)');
  program.hook('preAction', (_, command) => refuseEmpty(command));
  addInit(program);
  addRun(program);
  addServe(program);
  addWork(program);
  addTasks(program);
  addLogs(program);
  addRuns(program);
  addWait(program);
  addResults(program);
  addReport(program);
  addCollect(program);
  addCancel(program);
  addSet(program);
  addRedrive(program);
  addDoctor(program);
  addSqs(program);
  addUi(program);
  try {
    await program.parseAsync(withOptionalValues(argv), { from: 'user' });
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
