import {
  FanfoldError,
  type Ledger,
  type Manifest,
  type RunStatus,
  type Statistics,
  type StoredRun,
} from '../index.ts';
import { commandLine } from './command-line.ts';
import { STATUS } from './exit.ts';
import { count, say } from './log.ts';
import { costText } from './money.ts';
import { showProgress } from './progress.ts';
import { reportLine, writeReport } from './report.ts';
import { reportOfManifest } from './report-elsewhere.ts';
import { type Hint, saySummary, timesOf } from './summary.ts';
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
  const data = quiet && path === undefined ? undefined : reportOfManifest(manifest, connection);
  if (data && path !== undefined) await writeReport(path, await data);
  if (!quiet) {
    // The manifest says enough of a run whose statistics can't be read.
    const statistics = (await data?.catch(() => undefined))?.statistics;
    saySummary({
      facts: factsOf(manifest, { startedAt, report: path }, statistics),
      kindsIn: (lines) => kindsIn(manifest, lines),
      hints: hintsOf(manifest, { flags, again }),
    });
  }
  const { inputs, failed, cancelled } = manifest.ledger;
  if (inputs === 0 && manifest.cause === undefined) warnOfNoInputs();
  const isWhole = failed + cancelled === 0 && manifest.cause === undefined;
  return isWhole ? STATUS.ok : STATUS.failed;
}

/** A warning that also `--quiet` prints. */
export function warnOfNoInputs(): void {
  say('0 inputs: nothing was run');
}

/** The ledger as a run's tags report it, twice a minute. */
export function ledgerOf(status: RunStatus | undefined): Ledger {
  const { ok = 0, failed = 0, total = 0, state } = status ?? {};
  const isKnown = state === 'sealed';
  return { inputs: total, ok, failed, cancelled: 0, duplicates: 0, sealed: isKnown };
}

function factsOf(
  { ledger, cause, folder, cost }: Manifest,
  { startedAt, report }: Pick<Following, 'startedAt' | 'report'>,
  statistics: Statistics | undefined,
): string[] {
  const { inputs, ok, failed, cancelled } = ledger;
  const seconds = startedAt === undefined ? undefined : (performance.now() - startedAt) / 1000;
  const took = seconds === undefined ? '' : `, in ${seconds.toFixed(1)} s`;
  return [
    // Commands name the option by its flag.
    cause && `ended early: ${cause.replace('`maxFailures`', '--max-failures')}`,
    `${count(inputs, 'input')} = ${ok} ok + ${failed} failed + ${cancelled} cancelled${took}; results are in ${folder}`,
    report && reportLine(report),
    ...(statistics ? timesOf(statistics) : []),
    cost && `cost: ${costText(cost)}`,
  ].flatMap((fact) => fact || []);
}

/** @param lines 2 at least */
function kindsIn({ failures }: Manifest, lines: number): string[] {
  const most = Math.min(lines, SHOWN_KINDS + 1);
  const shown = failures.length <= Math.min(most, SHOWN_KINDS) ? most : most - 1;
  const kinds = failures
    .slice(0, shown)
    .map(({ code, message, count: times, isLeast, indexes }) => {
      const such = times === 1 ? '' : 'such as ';
      return `${isLeast ? 'at least ' : ''}${times} failed, ${such}input ${indexes[0]}: ${code}: ${message}`;
    });
  const more = failures.length - kinds.length;
  if (more > 0) kinds.push(`and ${count(more, 'more kind')} of failure: manifest.json lists them`);
  return kinds;
}

function hintsOf(
  { runId, ledger: { inputs, failed, cancelled }, failures, folder, format }: Manifest,
  { flags, again }: Pick<Following, 'again'> & { flags: string[] },
): Hint[] {
  const example = failures[0]?.indexes[0];
  const logs = commandLine(['logs', runId, String(example), ...flags]);
  const read = commandLine(['results', runId, ...flags]);
  const fetched =
    format === 'jsonl'
      ? `to read the results: ${read}`
      : `to fetch the results: aws s3 cp --recursive ${folder} .`;
  const hints: [isThere: boolean, rank: number, text: string | undefined][] = [
    [example !== undefined, 2, `to see the log lines of input ${example}: ${logs}`],
    [cancelled > 0, 0, again && `to run the cancelled inputs: ${again()}`],
    [failed > 0, 0, again && `to run failed inputs again: ${again('--retry-failed')}`],
    [inputs > 0, 1, fetched],
  ];
  return hints.flatMap(([isThere, rank, text]) =>
    isThere && text !== undefined ? { rank, text } : [],
  );
}
