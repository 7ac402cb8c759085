import { FanfoldError, InputError, type Ledger, type ResultBatch, type Run } from '../index.ts';
import { STATUS, statusOf } from './exit.ts';
import type { OpenedInputs } from './inputs/index.ts';
import { shellWord } from './inputs/lines.ts';
import { ReaderLeft } from './output.ts';
import { showProgress } from './progress.ts';
import type { Recorded } from './resume/index.ts';
import { say } from './say.ts';
import { Interrupted } from './signals.ts';
import type { Carried } from './with-input.ts';

/** A run, from the command line. */
export interface Performance {
  /** Begins the run, or goes on with one. */
  begin: () => Promise<Run>;
  /** Where the inputs come from; undefined where somebody else has seeded them. */
  inputs: OpenedInputs | undefined;
  /** Inputs that are joined to their results. */
  carried: Carried | undefined;
  recorded: Recorded;
  /** Where it runs, and whether it goes on there without this command. */
  place: string;
  isElsewhere: boolean;
  /** Where the results go; undefined for standard output. */
  output: string | undefined;
  quiet: boolean;
  /** How many there are, where they are ours. */
  workers: number | undefined;
  /** Aborted when the command is told to stop. */
  signal: AbortSignal;
}

/** Runs the task, and gives the exit status. */
export async function perform(performance: Performance): Promise<number> {
  const { inputs, recorded, quiet, workers, signal } = performance;
  const startedAt = Date.now();
  const run = await performance.begin();
  const note = performance.isElsewhere ? noteElsewhere(run, performance) : () => {};
  const noting = setInterval(note, NOTE_MS);
  const progress = quiet
    ? undefined
    : showProgress(() => run.ledger, { total: inputs?.total, workers });
  const leave = () => run.leave();
  signal.addEventListener('abort', leave);
  if (signal.aborted) leave();
  let failure: string | undefined;
  try {
    failure = await writeResults(run, performance, note);
    signal.throwIfAborted();
  } catch (error) {
    progress?.stop();
    if (error instanceof ReaderLeft) return STATUS.ok;
    if (!quiet) tellWhatIsDone(run.ledger, performance, error);
    if (error instanceof InputError && inputs) throw located(error, inputs);
    throw error;
  } finally {
    progress?.stop();
    signal.removeEventListener('abort', leave);
    clearInterval(noting);
    note();
    inputs?.close();
    await recorded.close();
  }
  if (!quiet) tellLedger(run, performance, startedAt, failure);
  const { failed, cancelled } = run.ledger;
  return failed + cancelled > 0 ? STATUS.failed : STATUS.ok;
}

/** How often it is noted how far a run is seeded, in milliseconds. */
const NOTE_MS = 500;

/** Notes which run it is that goes on elsewhere; gives what notes how far it is seeded by now. */
function noteElsewhere(run: Run, performance: Performance): () => void {
  const { recorded, inputs, place, quiet } = performance;
  const isNew = recorded.living?.runId !== run.runId;
  if (isNew) recorded.noteRun(run.runId, place);
  if (!quiet) say(`${isNew && inputs ? 'began' : 'collecting'} run ${run.runId} on ${place}`);
  return () => recorded.noteSeeded(run.seeded);
}

/** Writes all results; a batch is taken, and deleted from its queue, when it is written. Gives the first failure. */
async function writeResults(
  run: Run,
  { recorded, carried }: Performance,
  note: () => void,
): Promise<string | undefined> {
  let failure: string | undefined;
  for await (const batch of run.batches()) {
    note();
    const text = carried ? batch.lines.map((line) => carried.join(line)).join('\n') : batch.text;
    await recorded.write(`${text}\n`);
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
  run: Run,
  { output, recorded: { before } }: Performance,
  startedAt: number,
  failure: string | undefined,
): void {
  const { inputs, ok, failed, cancelled, duplicates } = run.ledger;
  const seconds = (Date.now() - startedAt) / 1000;
  const where = output === undefined ? '' : `; results are in ${output}`;
  const dropped = duplicates > 0 ? ` (${duplicates} duplicates dropped)` : '';
  const there = before ? `, ${before.ok + before.failed} of them from before` : '';
  if (run.cause !== undefined) say(`ended early: ${run.cause}`);
  say(
    `${inputs} inputs = ${ok} ok + ${failed} failed + ${cancelled} cancelled${dropped}${there}, in ${seconds.toFixed(1)} s${where}`,
  );
  if (failure !== undefined) say(`first failure: ${failure}`);
}

function tellWhatIsDone({ inputs, ok, failed }: Ledger, performance: Performance, error: unknown) {
  const { output, recorded } = performance;
  const why = error instanceof Interrupted ? 'interrupted' : 'stopped';
  const where = output === undefined ? '' : `; their results are in ${output}`;
  say(
    `${why}: ${ok + failed} of ${inputs} inputs read so far are done (${ok} ok, ${failed} failed)${where}`,
  );
  // Inputs that are wrong stay wrong.
  const goesOn = error instanceof Interrupted || statusOf(error) === STATUS.stopped;
  if (!goesOn) return;
  if (recorded.resumable) say(`to go on with it: ${resumeLine(process.argv.slice(2))}`);
  else if (output === undefined) say('with --output FILE it could be gone on with, by --resume');
}

function resumeLine(args: readonly string[]): string {
  const again = args.filter((arg) => arg !== '--resume' && arg !== '--retry-failed');
  return ['fanfold', ...again.map(shellWord), '--resume'].join(' ');
}

/** An input's error with the place that the input came from. */
function located(error: InputError, inputs: OpenedInputs): FanfoldError {
  const place = inputs.locate(error.index);
  if (place === undefined) return error;
  return new FanfoldError('BadInput', `${place}: the input ${error.reason}`, { cause: error });
}
