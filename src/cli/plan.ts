import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import {
  type Counted,
  FanfoldError,
  InputError,
  type PlannedStack,
  type PlanOptions,
} from '../index.ts';
import { JsonTexts, MAX_PAYLOAD_BYTES, moneyText, planHtml } from '../internal.ts';
import { type OnBadInput, onBadInputOf } from './bad-inputs.ts';
import { STATUS } from './exit.ts';
import { boundsOf } from './flow.ts';
import { boundHeap } from './heap.ts';
import { openInputs } from './inputs/index.ts';
import { count, print, printJson, say } from './log.ts';
import { located } from './perform.ts';
import { linesOf } from './plan-text.ts';
import { checkReport, checkReportInputs, reportLine, writePage } from './report.ts';
import { addPrices, pricesIn } from './prices.ts';
import { wholeNumber } from './serve.ts';
import { untilSignal } from './signals.ts';
import { connectTarget, nameOf, type TargetFlags } from './target.ts';
import { checkTask } from './tasks-module.ts';

interface PlanFlags extends Pick<TargetFlags, 'stack' | 'tasks' | 'workers' | 'prices'> {
  input?: string;
  range?: string;
  glob?: string;
  onBadInput?: OnBadInput;
  sample?: string;
  concurrency?: string;
  rate?: string;
  region?: string;
  memory?: string;
  maxConcurrency?: string;
  burst?: string;
  report?: string;
  overwrite?: boolean;
  json?: boolean;
}

/** `fanfold plan <task>`: tells what a run would take. */
export function addPlan(program: Command): void {
  addPrices(program.command('plan'))
    .description('predict a run: counts its inputs, really runs a random sample of them')
    .argument('<task>', 'the name of a task (fanfold tasks lists them)')
    .option(
      '--input <file>',
      'read inputs from a .jsonl, .ndjson, .csv or .txt file, or JSON lines from standard input (-)',
    )
    .option('--range <range>', 'use whole numbers as inputs: N for 0 to N-1, A..B for A to B')
    .option('--glob <pattern>', 'use the paths of files as inputs, such as "photos/**/*.jpg"')
    .option(
      '--on-bad-input <what>',
      'a bad line or row of --input: fail (the default), or skip (leaves it out)',
      onBadInputOf,
    )
    .option(
      '--sample <n>',
      'run this many inputs, chosen at random (default: 20, and up to 200 within 10 s)',
    )
    .option('--workers <n>', `worker processes (default: one per core, ${availableParallelism()})`)
    .option('--tasks <module>', 'the tasks module, as for run')
    .option('--concurrency <n>', 'plan with at most this many inputs at once')
    .option('--rate <rate>', 'plan with at most this many attempts, such as 100/s')
    .option('--stack <name>', 'run the sample on this stack, and plan a run on it')
    .option(
      '--region <region>',
      'plan a run on AWS, in this region, of a stack that need not exist; the sample runs here',
    )
    .option('--memory <mb>', 'the same, with this memory of a worker in MB (default: 1024)')
    .option('--max-concurrency <n>', 'the same, with at most this many workers (default: 100)')
    .option(
      '--burst <n>',
      'the same, with so many of them started by the seed (default: half of them, at most 100)',
    )
    .option('--report <file>', 'write the plan to this file, too, with charts: one page, HTML')
    .option('--overwrite', 'replace a file that is not a report')
    .option('--json', 'print the plan as JSON')
    .action((task: string, flags: PlanFlags) =>
      untilSignal((signal) => attempt(task, flags, signal)),
    );
}

async function attempt(task: string, flags: PlanFlags, signal: AbortSignal): Promise<number> {
  const options: PlanOptions = {
    ...boundsOf({ concurrency: flags.concurrency, rate: flags.rate }),
    sample: wholeNumber('--sample', flags.sample, 10_000, 1),
    aws: stackOf(flags),
    signal,
  };
  if (flags.onBadInput === 'report') {
    const why = 'there are no results in a plan that could report bad inputs: use skip or fail.';
    throw new FanfoldError('BadOption', `--on-bad-input report: ${why}`);
  }
  const { report } = flags;
  if (report !== undefined) checkReport('--report', report, flags);
  boundHeap();
  const inputs = await openInputs({ ...flags, maxInputBytes: MAX_PAYLOAD_BYTES });
  try {
    checkReportInputs(report, inputs.files);
    // Without a stack, prices are of the one that the other flags describe.
    const { prices, ...others } = flags;
    const shared = flags.stack !== undefined && prices !== undefined ? { prices } : {};
    const connection = await connectTarget({ ...others, ...shared, quiet: true });
    const startSeconds = performance.now() / 1000;
    using _ = connection.taskLog;
    await using fanfold = connection.fanfold;
    await checkTask(fanfold, task, flags.tasks);
    const { target } = connection;
    const where = target.kind === 'local' ? 'on this machine' : `on ${nameOf(target)}`;
    const texts = new JsonTexts(inputs.batches(), inputs.total);
    const onCounted = ({ inputs, sample, mostUsd }: Counted) => {
      const most =
        mostUsd === undefined ? '' : `, for at most ${moneyText(mostUsd)} of Lambda's time`;
      say(`${count(inputs, 'input')}; running up to ${sample} of them, ${where}${most}`);
    };
    const plan = await fanfold.plan(task, texts, { ...options, onCounted });
    if (inputs.bad?.leftOut !== undefined) say(inputs.bad.leftOut);
    const lines = linesOf(plan, startSeconds);
    if (flags.json) printJson({ ...plan, startSeconds });
    else for (const line of lines) print(line);
    if (report !== undefined) {
      await writePage(report, () => planHtml({ ...plan, lines }));
      say(reportLine(report));
    }
    return STATUS.ok;
  } catch (error) {
    if (error instanceof FanfoldError && error.code === 'TaskFailed') {
      say(error.message);
      return STATUS.failed;
    }
    throw error instanceof InputError ? located(error, inputs) : error;
  } finally {
    inputs.close();
  }
}

/** The deployment that the flags describe; undefined if they describe none. */
function stackOf(flags: PlanFlags): PlannedStack | undefined {
  const given = Object.entries({
    '--region': flags.region,
    '--memory': flags.memory,
    '--max-concurrency': flags.maxConcurrency,
    '--burst': flags.burst,
    '--prices': flags.stack === undefined ? flags.prices : undefined,
  }).find(([, value]) => value !== undefined);
  if (given === undefined) return undefined;
  if (flags.stack !== undefined) {
    throw new FanfoldError(
      'BadOption',
      `${given[0]} describes a stack that need not exist, and --stack names one, whose settings are read. Leave one of them out.`,
    );
  }
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  const { region = AWS_REGION || AWS_DEFAULT_REGION } = flags;
  if (region === undefined || region === '') {
    throw new FanfoldError(
      'BadOption',
      `${given[0]} plans a run on AWS, whose prices depend on the region: name it with --region or AWS_REGION.`,
    );
  }
  return {
    region,
    memoryMb: wholeNumber('--memory', flags.memory, 10_240, 128),
    maxConcurrency: wholeNumber('--max-concurrency', flags.maxConcurrency, 1_000, 2),
    burst: wholeNumber('--burst', flags.burst, 998),
    prices: pricesIn(flags.prices),
  };
}
