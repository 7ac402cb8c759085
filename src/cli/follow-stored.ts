import {
  FanfoldError,
  type Ledger,
  type Manifest,
  type RunStatus,
  type StoredRun,
} from '../index.ts';
import { commandLine } from './command-line.ts';
import { STATUS } from './exit.ts';
import { count, say, sayShort } from './log.ts';
import { costText } from './money.ts';
import { showProgress } from './progress.ts';
import { writeReport } from './report.ts';
import { reportOfManifest } from './report-elsewhere.ts';
import { type Connection, flagsOf } from './target.ts';

interface Following {
  quiet: boolean;
  signal: AbortSignal;
  /** When the command began the run. @default it did not */
  startedAt?: number | undefined;
  /** Returns the command that continues the run, with an option. @default it is not known */
  again?: ((option?: string) => string) | undefined;
  /** File for the run's report. @default none */
  report?: string | undefined;
}

/** Kinds of failures to show. */
const SHOWN_KINDS = 5;

/** Follows a run that its stack collects, until its end. Returns the exit status. */
export async function followStored(
  run: StoredRun,
  connection: Connection,
  { quiet, signal, startedAt, again, report: path }: Following,
): Promise<number> {
  const { target } = connection;
  const leave = () => run.leave();
  signal.addEventListener('abort', leave);
  if (signal.aborted) leave();
  const settings = () => run.status ?? run.settings;
  const facts = {
    ...{ total: undefined, workers: undefined, awaited: () => undefined, settings },
    cost: () => run.cost,
  };
  const progress = quiet ? undefined : showProgress(() => ledgerOf(run.status), facts, false);
  let manifest: Manifest;
  try {
    manifest = await run.wait();
  } catch (error) {
    progress?.stop();
    const goesOn = signal.aborted || !(error instanceof FanfoldError);
    const line = commandLine(['wait', run.runId, ...flagsOf(target)]);
    if (goesOn) say(`run ${run.runId} goes on without this command; to follow it: ${line}`);
    signal.throwIfAborted();
    throw error;
  } finally {
    progress?.stop();
    signal.removeEventListener('abort', leave);
  }
  const flags = flagsOf(target);
  if (!quiet) report(manifest, { flags, startedAt, again });
  if (path !== undefined) await writeReport(path, await reportOfManifest(manifest, connection));
  const { failed, cancelled } = manifest.ledger;
  const isWhole = failed + cancelled === 0 && manifest.cause === undefined;
  return isWhole ? STATUS.ok : STATUS.failed;
}

/** The ledger as a run's tags report it, twice a minute. */
export function ledgerOf(status: RunStatus | undefined): Ledger {
  const { ok = 0, failed = 0, total = 0, state } = status ?? {};
  const isKnown = state === 'sealed';
  return { inputs: total, ok, failed, cancelled: 0, duplicates: 0, sealed: isKnown };
}

function report(
  { runId, ledger, cause, failures, folder, format, cost }: Manifest,
  { flags, startedAt, again }: Pick<Following, 'startedAt' | 'again'> & { flags: string[] },
): void {
  const { inputs, ok, failed, cancelled } = ledger;
  const seconds = startedAt === undefined ? undefined : (performance.now() - startedAt) / 1000;
  const took = seconds === undefined ? '' : `, in ${seconds.toFixed(1)} s`;
  // Commands name the option by its flag.
  if (cause !== undefined) say(`ended early: ${cause.replace('`maxFailures`', '--max-failures')}`);
  say(
    `${count(inputs, 'input')} = ${ok} ok + ${failed} failed + ${cancelled} cancelled${took}; results are in ${folder}`,
  );
  if (cost) say(`cost: ${costText(cost)}`);
  for (const { code, message, count: times, isLeast, indexes } of failures.slice(0, SHOWN_KINDS)) {
    const such = times === 1 ? '' : 'such as ';
    sayShort(
      `${isLeast ? 'at least ' : ''}${times} failed, ${such}input ${indexes[0]}: ${code}: ${message}`,
    );
  }
  const more = failures.length - SHOWN_KINDS;
  if (more > 0) say(`and ${count(more, 'more kind')} of failure: manifest.json lists them`);
  const example = failures[0]?.indexes[0];
  if (example !== undefined) {
    const line = commandLine(['logs', runId, String(example), ...flags]);
    say(`to see the log lines of input ${example}: ${line}`);
  }
  if (cancelled > 0 && again) say(`to run the cancelled inputs: ${again()}`);
  if (failed > 0 && again) say(`to run failed inputs again: ${again('--retry-failed')}`);
  if (inputs === 0) return;
  if (format === 'jsonl') say(`to read the results: ${commandLine(['results', runId, ...flags])}`);
  else say(`to fetch the results: aws s3 cp --recursive ${folder} .`);
}
