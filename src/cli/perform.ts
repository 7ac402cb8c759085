import { FanfoldError, InputError, type Run } from '../index.ts';
import { withRemedy } from '../inputs/source.ts';
import { packed } from '../internal.ts';
import { BAD_INPUT_REMEDY } from './bad-inputs.ts';
import { commandLine } from './command-line.ts';
import { STATUS, statusOf } from './exit.ts';
import { reportSettings } from './flow.ts';
import type { CommandInputs, OpenedInputs } from './inputs/index.ts';
import type { RunPage } from './live/run-page.ts';
import { count, say, sayShort } from './log.ts';
import { costText } from './money.ts';
import { isPiped, ReaderLeft } from './output.ts';
import { showProgress } from './progress.ts';
import { reportSilence } from './quiet.ts';
import { reportOf, writeReport } from './report.ts';
import type { Following, RunOutput } from './resume/index.ts';
import { Interrupted } from './signals.ts';
import { summaryOf } from './summary.ts';
import { type Connection, flagsOf, nameOf, type Target } from './target.ts';
import type { Carried } from './with-input.ts';
import { Written } from './written.ts';

/** A run that a command starts or collects. */
export interface Job {
  /** Starts the run, or resumes one. */
  begin: () => Promise<Run>;
  /** The inputs; undefined if this command does not seed them. */
  inputs: CommandInputs | undefined;
  /** True if this command starts the run although it has no `inputs`. @default false */
  isStartedHere?: boolean;
  /** Inputs that are joined to their results. */
  carried: Carried | undefined;
  recorded: RunOutput;
  /** The target of the run. A run on another machine continues without this command. */
  connection: Connection;
  /** Where the results go; undefined for standard output. */
  output: string | undefined;
  quiet: boolean;
  /** File for the run's report. @default none */
  report?: { task: string; path: string | undefined } | undefined;
  /** The live page that shows it. @default none */
  page?: RunPage | undefined;
  /** Opens the inputs anew, for the page; undefined if they can be read once only. */
  reopen?: (() => Promise<OpenedInputs>) | undefined;
  /** Returns the command that runs failed inputs again, with an option that says which. */
  retry?: ((option: string) => string) | undefined;
  /** The command that resumes the run after an early end; undefined if none can. */
  again: string | undefined;
  /** Aborts when the command receives a signal to stop. */
  signal: AbortSignal;
}

/** The next step after a run of a built-in task. */
const NEXT = 'next: `npx fanfold init` in your project writes a task of your own; see README.md';

function isElsewhere({ connection }: Job): boolean {
  return connection.target.kind !== 'local';
}

/** Runs the task, and gives the exit status. */
export async function perform(job: Job): Promise<number> {
  const { inputs, recorded, quiet, signal } = job;
  const { target } = job.connection;
  const workers = target.kind === 'local' ? target.workers : undefined;
  const startedAt = performance.now();
  const run = await job.begin().catch((error: unknown) => {
    // An open source would keep the process alive.
    inputs?.close();
    throw error;
  });
  showOn(run, job);
  const following = isElsewhere(job) ? follow(run, job) : undefined;
  const isWatched = isElsewhere(job) && !quiet;
  const watched = isWatched ? reportSilence(run, job.connection) : undefined;
  const reported = quiet ? undefined : reportSettings(run, target);
  const settings = () => run.settings;
  const cost = () => run.cost;
  const facts = { total: inputs?.total, workers, awaited: () => watched?.awaited, settings, cost };
  const progress = quiet ? undefined : showProgress(() => run.ledger, facts, isPiped(job.output));
  const leave = () => run.leave();
  signal.addEventListener('abort', leave);
  if (signal.aborted) leave();
  const written = new Written(recorded.before);
  let unclosed: { error: unknown } | undefined;
  try {
    await writeResults(run, job, following, written);
    signal.throwIfAborted();
  } catch (error) {
    progress?.stop();
    if (error instanceof ReaderLeft) return STATUS.ok;
    if (!quiet) reportEarlyStop(run, written, job, error);
    if (error instanceof InputError && inputs) throw located(error, inputs);
    throw error;
  } finally {
    progress?.stop();
    watched?.stop();
    reported?.stop();
    signal.removeEventListener('abort', leave);
    following?.stop();
    inputs?.close();
    await job.page?.ended(run);
    const shown = job.report && { ...job.report, inputs: job.carried?.examples };
    const data = shown && reportOf(run, shown, target, recorded);
    if (data) recorded.keepReport(packed(data));
    // The first error is reported, not one that follows from it.
    await recorded.close().catch((error: unknown) => {
      unclosed = { error };
    });
    const path = job.report?.path;
    if (data && path !== undefined) {
      await writeReport(path, data).catch((error: unknown) => {
        unclosed ??= { error };
      });
    }
  }
  if (unclosed) throw unclosed.error;
  if (!quiet) await reportLedger(run, job, startedAt);
  const isEmptied = run.ledger.inputs === 0 && inputs?.bad?.leftOut !== undefined;
  if (isEmptied) say('no input was left: all were bad, so nothing was run');
  else if (run.ledger.inputs === 0) say('0 inputs: nothing was run');
  const note = inputs?.note?.();
  if (note !== undefined && !quiet) say(note);
  const { failed, cancelled } = run.ledger;
  return failed + cancelled > 0 || run.cause !== undefined || isEmptied ? STATUS.failed : STATUS.ok;
}

function showOn(
  run: Run,
  { page, report, connection, recorded, output, inputs, reopen }: Job,
): void {
  const about = { task: report?.task ?? '?', connection, recorded, output, reopen };
  page?.show({ run, ...about, total: inputs?.total });
}

/** Records the id of a run that continues elsewhere, and how far it is seeded. */
function follow(run: Run, { recorded, inputs, isStartedHere, connection, quiet }: Job): Following {
  const name = nameOf(connection.target);
  const isNew = recorded.living?.runId !== run.runId;
  const isOurs = inputs !== undefined || isStartedHere === true;
  if (!quiet) say(`${isNew && isOurs ? 'began' : 'collecting'} run ${run.runId} on ${name}`);
  try {
    return recorded.follow(run, name);
  } catch (error) {
    // Without a record, no command could resume a run of ours, so it ends. Others' runs continue.
    if (!isOurs) run.leave();
    throw error;
  }
}

/** Writes all results. A batch is acknowledged, and deleted from its queue, only once written. */
async function writeResults(
  run: Run,
  { recorded, carried }: Job,
  following: Following | undefined,
  written: Written,
): Promise<void> {
  for await (const batch of run.batches()) {
    try {
      following?.check();
      const text = carried ? batch.lines.map((line) => carried.join(line)).join('\n') : batch.text;
      await recorded.write(`${text}\n`);
      written.add(batch);
      const examples = recorded.failures.addBatch(batch);
      carried?.keep(examples);
    } catch (error) {
      written.add(batch, recorded.leftLines);
      recorded.failures.addBatch(batch, recorded.leftLines);
      // Leaving the loop without `leave()` would cancel the run, which must stay resumable.
      if (!(error instanceof ReaderLeft)) run.leave();
      throw error;
    }
  }
  following?.check();
}

async function reportLedger(run: Run, job: Job, startedAt: number): Promise<void> {
  const {
    output,
    recorded: { before },
  } = job;
  const { inputs, ok, failed, cancelled, duplicates } = run.ledger;
  const seconds = (performance.now() - startedAt) / 1000;
  const where = output === undefined ? '' : `; results are in ${output}`;
  const dropped = duplicates > 0 ? ` (${count(duplicates, 'duplicate')} dropped)` : '';
  const there = before ? `, ${before.ok + before.failed} of them from earlier` : '';
  // Commands name the option by its flag.
  if (run.cause !== undefined)
    say(`ended early: ${run.cause.replace('`maxFailures`', '--max-failures')}`);
  say(
    `${count(inputs, 'input')} = ${ok} ok + ${failed} failed + ${cancelled} cancelled${dropped}${there}, in ${seconds.toFixed(1)} s${where}`,
  );
  for (const line of summaryOf(run.statistics())) say(line);
  if (run.cost) say(`cost: ${costText(run.cost)}`);
  if (run.elsewhere > 0) {
    say(`another command has collected ${count(run.elsewhere, 'more result')} of this run`);
  }
  await reportFailures(run, job);
  const { target } = job.connection;
  if (target.kind === 'local' && target.isBuiltIn) say(NEXT);
}

function reportKinds({ recorded: { failures } }: Job): void {
  for (const line of failures.lines) sayShort(line);
}

/** Reports the kinds of failures, the log of one of them, and how to run those inputs again. */
async function reportFailures(run: Run, job: Job): Promise<void> {
  const { recorded, retry, output, inputs } = job;
  const { codes, unreadable } = recorded.failures;
  reportKinds(job);
  if (codes.length === 0 && unreadable === 0) return;
  await reportLog(run, job);
  if (retry === undefined) {
    if (output === undefined && inputs) say('use --output FILE to run failed inputs again later');
    return;
  }
  if (codes.length > 0) say(`to run failed inputs again: ${retry('--retry-failed')}`);
  if (unreadable > 0) {
    const bad = unreadable === 1 ? 'the bad input' : `the ${unreadable} bad inputs`;
    say(`to run ${bad}, correct the file first, then: ${retry('--retry-failed=InvalidInput')}`);
  }
  if (codes.length < 2) return;
  const options = codes.map(([code, failed]) => `--retry-failed=${code} (${failed})`).join(', ');
  say(`to run only those of one code: ${options}`);
}

/** Names the command that shows the log lines of a failed input, if some are kept. */
async function reportLog({ runId }: Run, { recorded, output, connection }: Job): Promise<void> {
  const { target } = connection;
  const [example, ...others] = recorded.failures.examples;
  if (example === undefined || target.kind === 'server') return;
  const isLocal = target.kind === 'local';
  const shown = isLocal ? await recorded.log?.firstOf([example, ...others]) : example;
  if (shown === undefined) return;
  // A file's record holds the runs and their stack.
  const named = recorded.resumable && output !== undefined;
  const whose = named ? [output] : [runId, ...flagsOf(target)];
  const [first = '', ...where] = whose;
  const command = commandLine(['logs', first, String(shown), ...where]);
  say(`to see the log lines of input ${shown}: ${command}`);
}

function reportEarlyStop(
  { runId, ledger: { inputs, sealed } }: Run,
  { ok, failed }: Written,
  job: Job,
  error: unknown,
): void {
  const { output } = job;
  const isInterrupted = error instanceof Interrupted;
  // A wrong input would be refused again.
  const canContinue = isInterrupted || statusOf(error) === STATUS.stopped;
  const done = ok + failed;
  // If nothing was done before the error, the error says everything.
  if (done > 0 || isInterrupted || (canContinue && inputs > 0)) {
    const where = output === undefined || done === 0 ? '' : `; their results are in ${output}`;
    say(
      `${isInterrupted ? 'interrupted' : 'stopped'}: ${done} of ${count(inputs, 'input')} read so far are done (${ok} ok, ${failed} failed)${where}`,
    );
    reportKinds(job);
  }
  if (!canContinue) return;
  if (job.again !== undefined) say(`to resume it: ${job.again}`);
  else if (isElsewhere(job)) reportRunElsewhere(runId, sealed, job.connection.target);
  else if (output === undefined) say('use --output FILE to make a run resumable with --resume');
}

/** A run elsewhere outlives its command. Whether it can end without it depends on its inputs. */
function reportRunElsewhere(runId: string, sealed: boolean, target: Target): void {
  const command = (verb: string) => commandLine([verb, runId, ...flagsOf(target)]);
  if (sealed) say(`it continues there; to collect the remaining results: ${command('collect')}`);
  else say(`not all of its inputs are seeded; to cancel it: ${command('cancel')}`);
}

/** Adds the location of the input, such as its file and line, to an input's error. */
export function located(error: InputError, inputs: CommandInputs): FanfoldError {
  const place = inputs.locate(error.index);
  if (place === undefined) return error;
  const why = `${place}: the input ${error.reason}`;
  const whole = inputs.bad ? why : withRemedy(why, BAD_INPUT_REMEDY);
  return new FanfoldError('BadInput', whole, { cause: error });
}
