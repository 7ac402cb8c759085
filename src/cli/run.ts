import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import {
  connect,
  type Fanfold,
  FanfoldError,
  InputError,
  JsonTexts,
  type Ledger,
  MAX_INPUT_BYTES,
  type ResultBatch,
  type Run,
} from '../index.ts';
import { boundHeap } from './heap.ts';
import { type OpenedInputs, openInputs } from './inputs/index.ts';
import { checkOutput, type Output, openOutput, ReaderLeft } from './output.ts';
import { showProgress } from './progress.ts';
import { say } from './say.ts';
import { Interrupted, onSignals } from './signals.ts';
import { STATUS } from './status.ts';
import { findTasksModule } from './tasks-module.ts';
import { type Carried, carryInputs } from './with-input.ts';

interface RunFlags {
  input?: string;
  range?: string;
  glob?: string;
  output?: string;
  ordered?: boolean;
  withInput?: boolean;
  workers?: string;
  tasks?: string;
  quiet?: boolean;
}

/** `fanfold run <task>`: maps a task over inputs, on this machine. */
export function addRun(program: Command): void {
  program
    .command('run')
    .description('map a task over inputs; results are JSON lines')
    .argument('<task>', 'the name of a task (fanfold tasks lists them)')
    .option(
      '--input <file>',
      'inputs from a .jsonl, .ndjson, .csv or .txt file, or JSON lines from standard input with -',
    )
    .option('--range <range>', 'whole numbers as inputs: N for 0 to N-1, A..B for A to B')
    .option('--glob <pattern>', 'paths of files as inputs, such as "photos/**/*.jpg"')
    .option(
      '--output <file>',
      'where results go; an old file is overwritten (default: standard output)',
    )
    .option('--ordered', 'results in input order')
    .option('--with-input', 'each result with its input')
    .option(
      '--workers <n>',
      `worker processes (default: as many as cores, ${availableParallelism()})`,
    )
    .option(
      '--tasks <module>',
      'the tasks module (default: what package.json says under "fanfold", else the tasks that ship)',
    )
    .option('--quiet', 'say nothing but errors')
    .action(run);
}

async function run(task: string, flags: RunFlags): Promise<void> {
  const workers = workersOf(flags.workers);
  const module = findTasksModule(flags.tasks);
  const signals = onSignals();
  boundHeap();
  try {
    const inputs = await openInputs({ ...flags, maxInputBytes: MAX_INPUT_BYTES });
    if (flags.output !== undefined) await checkOutput(flags.output, inputFile(flags));
    const onWarning = (message: string) => say(message);
    await using fanfold = await connect({ tasks: module.path, workers, onWarning });
    if (module.shipped && !flags.quiet) {
      say(`no tasks module is named: these ship with fanfold: ${fanfold.tasks?.join(', ')}`);
    }
    process.exitCode = await perform({
      task,
      flags,
      inputs,
      fanfold,
      workers,
      signal: signals.signal,
    });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    process.exitCode = error.status;
  } finally {
    signals.stop();
  }
}

interface Performance {
  task: string;
  flags: RunFlags;
  inputs: OpenedInputs;
  fanfold: Fanfold;
  workers: number;
  signal: AbortSignal;
}

/** Runs the task, and gives the exit status. */
async function perform({
  task,
  flags,
  inputs,
  fanfold,
  workers,
  signal,
}: Performance): Promise<number> {
  signal.throwIfAborted();
  const startedAt = performance.now();
  const carried = flags.withInput ? carryInputs(inputs.batches()) : undefined;
  const texts = new JsonTexts(carried?.batches ?? inputs.batches(), inputs.total);
  const mapped = fanfold.map(task, texts, { ordered: flags.ordered ?? false, signal });
  const output = await openOutput(flags.output);
  const progress = flags.quiet
    ? undefined
    : showProgress(() => mapped.ledger, { total: inputs.total, workers });
  let failure: string | undefined;
  try {
    failure = await writeResults(mapped, output, carried);
  } catch (error) {
    progress?.stop();
    if (error instanceof ReaderLeft) return STATUS.ok;
    tellWhatIsDone(mapped.ledger, flags, error);
    if (error instanceof InputError) throw located(error, inputs);
    throw error;
  } finally {
    progress?.stop();
    inputs.close();
    await output.close();
  }
  if (!flags.quiet) tellLedger(mapped.ledger, flags, startedAt, failure);
  const { failed, cancelled } = mapped.ledger;
  return failed + cancelled > 0 ? STATUS.failed : STATUS.ok;
}

/** Writes all results; a batch is taken, and deleted from its queue, when it is written. Gives the first failure. */
async function writeResults(
  run: Run,
  output: Output,
  carried: Carried | undefined,
): Promise<string | undefined> {
  let failure: string | undefined;
  for await (const batch of run.batches()) {
    const text = carried ? batch.lines.map((line) => carried.join(line)).join('\n') : batch.text;
    await output.write(`${text}\n`);
    failure ??= firstFailure(batch);
  }
  return failure;
}

function firstFailure(batch: ResultBatch): string | undefined {
  if (batch.ok) return undefined;
  const line = batch.lines.find(({ status }) => status === 'failed');
  if (line === undefined) return undefined;
  const { index, error } = JSON.parse(line.text) as {
    index: number;
    error: { code: string; name: string; message: string };
  };
  const name = error.name === error.code ? '' : `${error.name}: `;
  return `input ${index}: ${error.code}: ${name}${error.message}`;
}

function tellLedger(
  { inputs, ok, failed, cancelled, duplicates }: Ledger,
  { output }: RunFlags,
  startedAt: number,
  failure: string | undefined,
): void {
  const seconds = (performance.now() - startedAt) / 1000;
  const where = output === undefined ? '' : `; results are in ${output}`;
  const dropped = duplicates > 0 ? ` (${duplicates} duplicates dropped)` : '';
  say(
    `${inputs} inputs = ${ok} ok + ${failed} failed + ${cancelled} cancelled${dropped}, in ${seconds.toFixed(1)} s${where}`,
  );
  if (failure !== undefined) say(`first failure: ${failure}`);
}

function tellWhatIsDone(
  { inputs, ok, failed }: Ledger,
  { output, quiet }: RunFlags,
  error: unknown,
): void {
  if (quiet) return;
  const why = error instanceof Interrupted ? 'interrupted' : 'stopped';
  const where = output === undefined ? '' : `; their results are in ${output}`;
  say(
    `${why}: ${ok + failed} of ${inputs} inputs read so far are done (${ok} ok, ${failed} failed)${where}`,
  );
}

/** An input's error with the place that the input came from. */
function located(error: InputError, inputs: OpenedInputs): FanfoldError {
  const place = inputs.locate(error.index);
  if (place === undefined) return error;
  return new FanfoldError('BadInput', `${place}: the input ${error.reason}`, { cause: error });
}

function inputFile({ input }: RunFlags): string | undefined {
  return input === '-' ? undefined : input;
}

function workersOf(given: string | undefined): number {
  if (given === undefined) return availableParallelism();
  const workers = Number(given);
  if (/^\d+$/.test(given) && workers >= 1 && workers <= 1000) return workers;
  throw new FanfoldError(
    'BadOption',
    `--workers is a whole number from 1 to 1000; "${given}" is not.`,
  );
}
