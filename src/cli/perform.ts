import { FanfoldError, InputError, type Run } from '../index.ts';
import { withRemedy } from '../inputs/source.ts';
import { packed, type ReportData } from '../internal.ts';
import { BAD_INPUT_REMEDY } from './bad-inputs.ts';
import { commandLine } from './command-line.ts';
import { STATUS, statusOf } from './exit.ts';
import { FailureSamples, withLogs } from './failure-samples.ts';
import { reportSettings } from './flow.ts';
import type { CommandInputs } from './inputs/index.ts';
import type { Job } from './job.ts';
import { count, say, sayShort } from './log.ts';
import { isPiped, ReaderLeft } from './output.ts';
import { showProgress } from './progress.ts';
import { reportSilence } from './quiet.ts';
import { reportLine, reportOf, writeReport } from './report.ts';
import type { Following } from './resume/index.ts';
import { saySummaryOf } from './run-summary.ts';
import { Interrupted } from './signals.ts';
import { flagsOf, nameOf, type Target } from './target.ts';
import { Written } from './written.ts';

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
  const samples = new FailureSamples();
  let unclosed: { error: unknown } | undefined;
  let isDone = false;
  try {
    await writeResults(run, job, following, written, samples);
    signal.throwIfAborted();
    isDone = true;
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
    const data = await reportOfJob(run, job, samples);
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
      if (!unclosed && !isDone && !quiet) say(reportLine(path));
    }
  }
  if (unclosed) throw unclosed.error;
  if (!quiet) await saySummaryOf(run, job, startedAt);
  const isEmptied = run.ledger.inputs === 0 && inputs?.bad?.leftOut !== undefined;
  if (isEmptied) say('no input was left: all were bad, so nothing was run');
  else if (run.ledger.inputs === 0) say('0 inputs: nothing was run');
  const { failed, cancelled } = run.ledger;
  return failed + cancelled > 0 || run.cause !== undefined || isEmptied ? STATUS.failed : STATUS.ok;
}

/** Undefined for a command without reports. */
async function reportOfJob(
  run: Run,
  { report, carried, output, recorded, connection }: Job,
  failed: FailureSamples,
): Promise<ReportData | undefined> {
  if (report === undefined) return undefined;
  const inputs = carried?.examples;
  let samples = failed.shown(run.statistics());
  // Log lines may tell of inputs.
  if (inputs && output !== undefined && recorded.log) {
    recorded.log.flush();
    samples = await withLogs(samples, output).catch(() => samples);
  }
  return reportOf(run, { task: report.task, inputs, samples }, connection.target, recorded);
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
  samples: FailureSamples,
): Promise<void> {
  for await (const batch of run.batches()) {
    try {
      following?.check();
      const text = carried ? batch.lines.map((line) => carried.join(line)).join('\n') : batch.text;
      await recorded.write(`${text}\n`);
      written.add(batch);
      const examples = recorded.failures.addBatch(batch);
      carried?.keep(examples);
      samples.keep(batch, examples);
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
    for (const line of job.recorded.failures.linesOf()) sayShort(line);
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
