import { serviceNow } from '../../src/clock.ts';
import { FanfoldError } from '../../src/errors.ts';
import type { SeedRequest } from '../../src/pipeline/messages/seed-request.ts';
import { newRunId } from '../../src/pipeline/names.ts';
import type { Deployment } from '../../src/pipeline/run/deployment.ts';
import { cancelRun } from '../../src/pipeline/runs/cancel.ts';
import { invokeSeedWithRetries } from '../../src/pipeline/seeding/invoke-seed.ts';
import { Actor, trueNow } from './actors.ts';
import { Disk } from './disk.ts';
import type { EventLog } from './event-log.ts';
import { after } from './pause.ts';
import type { RunPlan, SimInput } from './scenario.ts';
import type { StoredResults } from './stored-results.ts';
import { HUGE, TASK } from './task.ts';

const POLL_MS = 1_000;

/** A user who starts a run whose results are stored in S3, and reads them when it has ended. */
export class StoredConsumer {
  readonly name: string;
  readonly plan: RunPlan;
  readonly disk = new Disk();
  readonly runIds: string[] = [];
  readonly run = undefined;
  readonly seedsFrom = Number.POSITIVE_INFINITY;
  ended = false;
  endedAt: number | undefined;
  cancelled = false;
  error: unknown;
  readonly refusals: string[] = [];
  /** What is wrong with its objects. */
  readonly faults: string[] = [];
  readonly #deployment: () => Deployment;
  readonly #stored: StoredResults;
  readonly #log: EventLog;

  constructor(
    name: string,
    plan: RunPlan,
    options: { deployment: () => Deployment; stored: StoredResults; log: EventLog },
  ) {
    this.name = name;
    this.plan = plan;
    this.#deployment = options.deployment;
    this.#stored = options.stored;
    this.#log = options.log;
  }

  async start(): Promise<void> {
    const { startsAfterSeconds, cancel } = this.plan;
    await after(startsAfterSeconds * 1000);
    if (cancel) void this.#cancel(cancel.afterSeconds * 1000);
    const actor = new Actor(this.name, 'caller');
    void actor
      .run(() => this.#seed())
      .catch((error: unknown) => {
        this.error = error;
        if (error instanceof FanfoldError && error.code === 'BadInput')
          this.refusals.push(error.message);
      });
    while (!this.#isOver()) await after(POLL_MS);
    this.#read();
  }

  async #seed(): Promise<void> {
    const { inputs, deadlineSeconds, maxFailures } = this.plan;
    const { sqs, lambda, names } = this.#deployment();
    const runId = newRunId(serviceNow(sqs));
    this.runIds.push(runId);
    const expiresAt = deadlineSeconds && serviceNow(sqs) + deadlineSeconds * 1000;
    const request: SeedRequest = {
      ...{ task: TASK, runId, inputs: padded(inputs) as never, results: 's3', maxFailures },
      ...(expiresAt === undefined ? {} : { expiresAt }),
    };
    // Whoever waits for a run repeats its request until it has arrived.
    for (;;) {
      try {
        await invokeSeedWithRetries(lambda, names, request, () => this.#isOver());
        return;
      } catch (error) {
        this.error = error;
        if (this.#stored.manifest(runId)) return;
        if (error instanceof FanfoldError && error.code === 'BadInput') throw error;
        await after(10_000);
      }
    }
  }

  #isOver(): boolean {
    const [runId] = this.runIds;
    return runId !== undefined && this.#stored.announced.has(runId);
  }

  #read(): void {
    const [runId = ''] = this.runIds;
    const { lines, faults } = this.#stored.read(runId);
    for (const line of lines) this.disk.write(line);
    this.faults.push(...faults.map((fault) => `${this.name}: ${fault}.`));
    const manifest = this.#stored.manifest(runId);
    if (manifest?.cause === undefined && lines.length !== this.plan.inputs.length) {
      this.faults.push(`${this.name} has ${lines.length} results of ${this.plan.inputs.length}.`);
    }
    this.ended = true;
    this.endedAt = trueNow();
    this.#log.mark('stored run ended');
    if (manifest?.cause) this.#log.mark('stored run ended early');
    if (lines.some(({ length }) => length > HUGE.length)) this.#log.mark('stored a large output');
    if ((manifest?.parts.length ?? 0) > 2) this.#log.mark('stored run has parts');
  }

  async #cancel(ms: number): Promise<void> {
    await after(ms);
    const [runId] = this.runIds;
    if (runId === undefined || this.ended) return;
    this.cancelled = true;
    this.#log.note('cancels');
    const actor = new Actor(`${this.name} canceller`, 'canceller');
    const cancelled = actor.run(() => cancelRun(this.#deployment(), runId));
    await cancelled.catch((error: unknown) => this.#log.note(`can't cancel: ${error}`));
    actor.kill('at its end');
  }
}

/** Inputs that a request to the seed has room for. */
const PADDED = 3;

/** The inputs, of which the first few that are `huge` do not fit in a message themselves. */
function padded(inputs: readonly SimInput[]): object[] {
  let left = PADDED;
  return inputs.map((input) =>
    input.kind === 'huge' && left-- > 0 ? { ...input, pad: HUGE } : input,
  );
}
