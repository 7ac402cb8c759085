import { powertoolsLog } from '../src/handlers/powertools-log.ts';
import { powertoolsMetrics } from '../src/handlers/powertools-metrics.ts';
import { defineTask } from '../src/index.ts';
import { Run } from '../src/pipeline/collecting/run.ts';
import { costOf } from '../src/planning/cost.ts';
import { pricesOf } from '../src/planning/prices.ts';
import { noUsage } from '../src/planning/usage.ts';
import { TaskRegistry } from '../src/task-registry.ts';
import type { Bill } from '../src/worlds/planned/bill.ts';
import { VirtualClock, VirtualTimer } from '../src/worlds/planned/clock.ts';
import { virtualStack } from '../src/worlds/planned/stack.ts';
import type { Benchmark, Figure } from './benchmark.ts';

const REGION = 'us-east-1';

const MILLION = 1_000_000;
const MEMORY_GB = 1;

interface Plan {
  what: string;
  taskMs: number;
  /** Number of inputs that are run. The figures are scaled to a million. */
  inputs: number;
  outputBytes: number;
}

const PLANS: readonly Plan[] = [
  { what: 'echo', taskMs: 0, inputs: MILLION, outputBytes: 0 },
  { what: '100 ms', taskMs: 100, inputs: MILLION, outputBytes: 0 },
  // Each result is a message of its own, so a tenth of the inputs gives the same figures.
  { what: '1 s', taskMs: 1_000, inputs: MILLION / 10, outputBytes: 0 },
  { what: '100 ms, 10 KB out', taskMs: 100, inputs: MILLION / 10, outputBytes: 10_000 },
  { what: '100 ms, 100 KB out', taskMs: 100, inputs: MILLION / 100, outputBytes: 100_000 },
];

/**
 * Counts what AWS bills for a million inputs, with the real seed, workers and collector and the
 * defaults of the stack, in virtual time.
 */
export const requests: Benchmark = {
  name: 'requests',
  about:
    'what AWS bills for 1,000,000 inputs with 100 workers of 1 GB, 50 of them burst, in virtual time; docs/deploy.md prices it',
  long: true,
  async run({ signal }) {
    const figures: Figure[] = [];
    for (const plan of PLANS) {
      if (signal.aborted) break;
      figures.push(...figuresOf(plan, await billOf(plan, signal)));
    }
    return figures;
  },
};

async function billOf({ taskMs, inputs, outputBytes }: Plan, signal: AbortSignal): Promise<Bill> {
  const output = 'x'.repeat(outputBytes);
  const tasks = TaskRegistry.fromModule({
    task: defineTask({
      name: 'task',
      run(input: unknown) {
        const result = outputBytes > 0 ? output : input;
        if (taskMs === 0) return result;
        return new Promise((resolve) => setTimeout(resolve, taskMs, result));
      },
    }),
  });
  process.env.POWERTOOLS_SERVICE_NAME = 'Bill';
  const clock = new VirtualClock(Date.UTC(2026, 10, 29), VirtualTimer);
  clock.install();
  const write = process.stdout.write.bind(process.stdout);
  try {
    const stack = await virtualStack({
      tasks: () => tasks,
      maxConcurrency: 100,
      burst: 50,
      watching: () => ({ log: powertoolsLog(), metrics: powertoolsMetrics() }),
    });
    process.stdout.write = (line: unknown) => {
      stack.bill.logBytes += Buffer.byteLength(String(line));
      return true;
    };
    const outcome: { done: boolean; error?: unknown } = { done: false };
    const run = new Run(
      stack.deployment,
      'task',
      Array.from({ length: inputs }, (_, id) => ({ id, text: `input number ${id}, a short text` })),
    );
    taken(run)
      .catch((error: unknown) => {
        outcome.error = error;
      })
      .finally(() => {
        outcome.done = true;
      });
    await clock.pass(() => {
      signal.throwIfAborted();
      return outcome.done;
    });
    if (outcome.error !== undefined) throw outcome.error;
    const { ok, duplicates } = run.ledger;
    if (ok !== inputs || duplicates > 0) {
      throw new Error(
        `Expected ${inputs} ok results, once each; got ${JSON.stringify(run.ledger)}.`,
      );
    }
    // Burst workers end after the queue has been empty for a while, and are billed until then.
    const until = Date.now() + 60_000;
    await clock.pass(() => Date.now() >= until);
    return stack.bill;
  } finally {
    process.stdout.write = write;
    clock.uninstall();
  }
}

async function taken(run: Run): Promise<void> {
  for await (const _ of run.batches());
}

function figuresOf({ what, inputs }: Plan, bill: Bill): Figure[] {
  const each = MILLION / inputs;
  const figure = (name: string, ours: string): Figure => ({ what: `${what}: ${name}`, ours });
  const count = (value: number) => Math.round(value * each).toLocaleString('en');
  const money = (value: number | undefined) => `$${((value ?? 0) * each).toFixed(3)}`;
  const ofTasks = bill.requests(/poller|worker (?!SendMessage$)|seed SendMessageBatch/);
  const gbSeconds = (bill.ms / 1000) * MEMORY_GB;
  const { items } = costOf(REGION, {
    ...noUsage(),
    gbSeconds: { arm64: gbSeconds, x86_64: 0 },
    invocations: bill.invocations,
    sqs: { standard: bill.requests() - ofTasks, fair: ofTasks, fifo: 0 },
    transferBytes: bill.egressBytes,
  });
  const logs = (bill.logBytes / 1e9) * (pricesOf(REGION)?.logGb ?? 0);
  const kinds = [...bill.sqs].map(([kind, { billed }]) => `${kind} ${count(billed)}`).join(', ');
  const functions = [...bill.lambda].map(([name, { count: n }]) => `${name} ${count(n)}`);
  return [
    figure('SQS requests billed', `${count(bill.requests())} = ${money(items?.sqsRequests)}`),
    figure('of which', kinds),
    figure('invocations', `${functions.join(', ')} = ${money(items?.lambdaInvocations)}`),
    figure('GB-s', `${count(gbSeconds)} = ${money(items?.lambdaDuration)}`),
    figure('logs', `${count(bill.logBytes / 1e6)} MB = ${money(logs)}`),
    figure('egress', `${count(bill.egressBytes / 1e6)} MB = ${money(items?.transfer)}`),
  ];
}
