import { FanfoldError } from '../../src/errors.ts';
import { Run } from '../../src/pipeline/collecting/run.ts';
import type { RunOptions } from '../../src/pipeline/collecting/run-options.ts';
import { type Deployment, queueOf } from '../../src/pipeline/run/deployment.ts';
import { findQueue } from '../../src/pipeline/run/queues.ts';
import { cancelRun } from '../../src/pipeline/runs/cancel.ts';
import { Actor, never, trueNow } from './actors.ts';
import { maySetClock } from './clocks.ts';
import { Disk } from './disk.ts';
import type { EventLog } from './event-log.ts';
import type { Faults } from './faults.ts';
import { after } from './pause.ts';
import type { RunPlan, SimInput } from './scenario.ts';
import { TASK } from './task.ts';

/** Longest time until a collector that ended too early is replaced, in milliseconds. */
const RESUMED_MS = 60_000;

/**
 * A user who starts a run, consumes its results, and stores them on disk. The process may die, be
 * stopped, or fail; then another one resumes from the state on disk.
 */
export class Consumer {
  readonly name: string;
  readonly plan: RunPlan;
  readonly disk = new Disk();
  /** Ids of its runs: if a run no longer exists, the next one maps the missing inputs. */
  readonly runIds: string[] = [];
  /** The id of the current process's run. */
  run: Run | undefined;
  /** The first input that the current process seeds although it may have been seeded before. */
  seedsFrom = Number.POSITIVE_INFINITY;
  /** Whether all results are consumed. */
  ended = false;
  /** Time at which they were, in milliseconds since 1970. */
  endedAt: number | undefined;
  /** Whether the run's cancellation was requested. */
  cancelled = false;
  /** Error of the latest process that failed. */
  error: unknown;
  /** Refusals of its seed requests, all of which are valid. */
  readonly refusals: string[] = [];
  readonly #deployment: () => Deployment;
  readonly #faults: Faults;
  readonly #log: EventLog;
  #processes = 0;
  #cancelsAt: number | undefined;

  constructor(
    name: string,
    plan: RunPlan,
    { deployment, faults, log }: { deployment: () => Deployment; faults: Faults; log: EventLog },
  ) {
    this.name = name;
    this.plan = plan;
    this.#deployment = deployment;
    this.#faults = faults;
    this.#log = log;
  }

  async start(): Promise<void> {
    const { startsAfterSeconds, cancel } = this.plan;
    await after(startsAfterSeconds * 1000);
    if (cancel) {
      this.#cancelsAt = trueNow() + cancel.afterSeconds * 1000;
      if (cancel.by === 'message') void this.#cancelFromElsewhere(cancel.afterSeconds * 1000);
    }
    this.#open();
  }

  /** A process. It dies as it ends, and is followed by another until all results are there. */
  #open(): void {
    if (++this.#processes > 1) this.#log.mark('run resumed');
    const actor = new Actor(`${this.name}.${this.#processes}`, 'collector');
    maySetClock(actor, this.#faults);
    actor.onDeath(() => {
      if (!this.ended) {
        void after(this.#faults.random.whole(0, RESUMED_MS)).then(() => this.#open());
      }
    });
    void actor.run(async () => {
      try {
        this.ended = await this.#consume(actor);
        this.endedAt = trueNow();
      } catch (error) {
        this.error = error;
        if (isRefusal(error)) this.refusals.push(error.message);
        this.#log.note(`can't go on: ${error}`);
      }
      actor.kill('at its end');
    });
  }

  /** @returns whether that was all */
  async #consume(actor: Actor): Promise<boolean> {
    const { plan, disk } = this;
    const { windowBytes } = plan;
    const deployment = {
      ...this.#deployment(),
      ...(windowBytes === undefined ? {} : { windowBytes }),
    };
    await queueOf(deployment);
    const run = new Run(deployment, TASK, this.#inputs(), await this.#options(deployment));
    this.run = run;
    if (!this.runIds.includes(run.runId)) this.runIds.push(run.runId);
    disk.record = { runId: run.runId, seeded: disk.record?.seeded ?? 0 };
    this.#log.note(`takes run ${run.runId}`);
    let left = false;
    const cancelling = this.#mayCancel(run);
    try {
      for await (const { lines } of run.batches()) {
        if (plan.consumerMs > 0) await after(plan.consumerMs);
        for (const { text } of lines) {
          if (this.#faults.hits('killCollector')) {
            disk.writePart(text, this.#faults.random.next());
            actor.kill('while it wrote');
            await never();
          }
          disk.write(text);
        }
        disk.record = { runId: run.runId, seeded: run.seeded };
        this.#log.note(`has ${disk.results.length} of ${plan.inputs.length}`);
        left ||= this.#mayLeave(run);
      }
    } finally {
      clearTimeout(cancelling);
    }
    const { sealed, inputs } = run.ledger;
    return !left || (sealed && inputs === disk.results.length);
  }

  #inputs(): SimInput[] | AsyncIterable<SimInput> {
    const { inputs, everyMs } = this.plan;
    return everyMs > 0 ? stream(inputs, everyMs) : inputs;
  }

  /** Continues the existing run, or starts one for the inputs that its predecessors left. */
  async #options({ sqs, names }: Deployment): Promise<RunOptions> {
    const { ordered, deadlineSeconds, maxFailures, flow, hedge } = this.plan;
    const { record } = this.disk;
    const options: RunOptions = {
      ordered,
      ...flow?.bounds,
      ...(hedge ? { hedge } : {}),
      ...(deadlineSeconds === undefined ? {} : { deadlineSeconds }),
      ...(maxFailures === undefined ? {} : { maxFailures }),
    };
    if (record === undefined) return options;
    const earlier = this.disk.ledger();
    if (await isGone(sqs, names.run(record.runId))) {
      this.#log.mark('run begun anew');
      this.disk.record = undefined;
      this.seedsFrom = Number.POSITIVE_INFINITY;
      return { ...options, earlier };
    }
    this.seedsFrom = record.seeded;
    return { ...options, earlier, resume: record };
  }

  #mayLeave(run: Run): boolean {
    if (!this.#faults.hits('leaveRun')) return false;
    run.leave();
    return true;
  }

  #mayCancel(run: Run): ReturnType<typeof setTimeout> | undefined {
    if (this.#cancelsAt === undefined || this.plan.cancel?.by !== 'run') return undefined;
    return setTimeout(
      () => {
        this.#cancels();
        void run.cancel();
      },
      Math.max(0, this.#cancelsAt - trueNow()),
    );
  }

  async #cancelFromElsewhere(ms: number): Promise<void> {
    await after(ms);
    const [runId] = this.runIds.slice(-1);
    if (runId === undefined || this.ended) return;
    this.#cancels();
    const actor = new Actor(`${this.name} canceller`, 'canceller');
    const cancelled = actor.run(() => cancelRun(this.#deployment(), runId));
    await cancelled.catch((error: unknown) => this.#log.note(`can't cancel: ${error}`));
    actor.kill('at its end');
  }

  #cancels(): void {
    this.cancelled = true;
    this.#log.note('cancels');
    this.#log.mark('run cancelled');
  }
}

/** SQS may report that for a moment: three lookups must agree. */
async function isGone(sqs: Deployment['sqs'], queue: string): Promise<boolean> {
  for (let looks = 1; looks <= 3; looks++) {
    if ((await findQueue(sqs, queue)) !== undefined) return false;
    await after(15_000);
  }
  return true;
}

function isRefusal(error: unknown): error is FanfoldError {
  return error instanceof FanfoldError && error.code === 'BadInput';
}

async function* stream(inputs: readonly SimInput[], everyMs: number) {
  for (const input of inputs) {
    await after(everyMs);
    yield input;
  }
}
