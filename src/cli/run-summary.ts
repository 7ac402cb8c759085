import type { Run } from '../index.ts';
import { commandLine } from './command-line.ts';
import type { Job } from './job.ts';
import { count } from './log.ts';
import { costText } from './money.ts';
import { reportLine } from './report.ts';
import { type Hint, saySummary, timesOf } from './summary.ts';
import { flagsOf } from './target.ts';

/** The next step after a run of a built-in task. */
const NEXT = 'next: `npx fanfold init` in your project writes a task of your own; see README.md';

/** Says how a run ended that this command has collected. */
export async function saySummaryOf(run: Run, job: Job, startedAt: number): Promise<void> {
  const { failures } = job.recorded;
  saySummary({
    facts: factsOf(run, job, startedAt),
    kindsIn: (lines) => failures.linesOf(Math.min(lines, 4)),
    hints: await hintsOf(run, job),
  });
}

function factsOf(run: Run, job: Job, startedAt: number): string[] {
  const { output, report, recorded } = job;
  const { before } = recorded;
  const { inputs, ok, failed, cancelled, duplicates } = run.ledger;
  const seconds = (performance.now() - startedAt) / 1000;
  const where = output === undefined ? '' : `; results are in ${output}`;
  const dropped = duplicates > 0 ? ` (${count(duplicates, 'duplicate')} dropped)` : '';
  const there = before ? `, ${before.ok + before.failed} of them from earlier` : '';
  // Commands name the option by its flag.
  const early = run.cause?.replace('`maxFailures`', '--max-failures');
  const asIf = job.connection.target.kind === 'local' ? ', as if on a stack' : '';
  const others = count(run.elsewhere, 'more result');
  return [
    early && `ended early: ${early}`,
    `${count(inputs, 'input')} = ${ok} ok + ${failed} failed + ${cancelled} cancelled${dropped}${there}, in ${seconds.toFixed(1)} s${where}`,
    report?.path && reportLine(report.path),
    ...timesOf(run.statistics()),
    run.cost && `cost${asIf}: ${costText(run.cost)}`,
    run.elsewhere > 0 ? `another command has collected ${others} of this run` : undefined,
  ].flatMap((fact) => fact || []);
}

/** Next steps: commands that run failed inputs again, show the log of one of them, and others. */
async function hintsOf(run: Run, job: Job): Promise<Hint[]> {
  const { recorded, retry, output, inputs, connection } = job;
  const { target } = connection;
  const { codes, unreadable } = recorded.failures;
  const isFailed = codes.length > 0 || unreadable > 0;
  const hints: [rank: number, text: string | undefined][] = [
    [3, isFailed ? await logHint(run, job) : undefined],
  ];
  if (isFailed && retry === undefined && output === undefined && inputs) {
    hints.push([1, 'use --output FILE to run failed inputs again later']);
  }
  if (codes.length > 0 && retry) {
    hints.push([0, `to run failed inputs again: ${retry('--retry-failed')}`]);
  }
  if (unreadable > 0 && retry) {
    const bad = unreadable === 1 ? 'the bad input' : `the ${unreadable} bad inputs`;
    const line = retry('--retry-failed=InvalidInput');
    hints.push([1, `to run ${bad}, correct the file first, then: ${line}`]);
  }
  if (codes.length > 1 && retry) {
    const options = codes.map(([code, failed]) => `--retry-failed=${code} (${failed})`).join(', ');
    hints.push([4, `to run only those of one code: ${options}`]);
  }
  if (run.ledger.cancelled > 0 && run.settings.costLimit?.reachedUsd !== undefined && job.again) {
    hints.push([0, `to run the cancelled inputs, for at most as much again: ${job.again}`]);
  }
  hints.push([1, inputs?.bad?.leftOut], [2, inputs?.note?.()]);
  if (target.kind === 'local' && target.isBuiltIn) hints.push([5, NEXT]);
  return hints.flatMap(([rank, text]) => (text === undefined ? [] : { rank, text }));
}

/** Names the command that shows the log lines of a failed input, if some are kept. */
async function logHint(
  { runId }: Run,
  { recorded, output, connection: { target } }: Job,
): Promise<string | undefined> {
  const [example, ...others] = recorded.failures.examples;
  if (example === undefined || target.kind === 'server') return undefined;
  const isLocal = target.kind === 'local';
  const shown = isLocal ? await recorded.log?.firstOf([example, ...others]) : example;
  if (shown === undefined) return undefined;
  // A file's record holds the runs and their stack.
  const named = recorded.resumable && output !== undefined;
  const whose = named ? [output] : [runId, ...flagsOf(target)];
  const [first = '', ...where] = whose;
  const command = commandLine(['logs', first, String(shown), ...where]);
  return `to see the log lines of input ${shown}: ${command}`;
}
