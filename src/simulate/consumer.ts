import { type Deployment, Run } from '../pipeline/run.ts';
import { Actor } from './actors.ts';
import { Disk } from './disk.ts';
import type { EventLog } from './event-log.ts';
import { after } from './pause.ts';
import type { RunPlan, SimInput } from './scenario.ts';
import { TASK } from './task.ts';

/** Who starts a run, takes its results, and puts them on disk. */
export class Consumer {
  readonly plan: RunPlan;
  readonly disk = new Disk();
  readonly actor: Actor;
  run: Run | undefined;
  /** Whether all results are taken, or the run could not go on. */
  ended = false;
  cancelled = false;
  /** Why the run could not go on. */
  error: unknown;
  readonly #deployment: (actor: Actor) => Deployment;
  readonly #log: EventLog;

  constructor(
    name: string,
    plan: RunPlan,
    deployment: (actor: Actor) => Deployment,
    log: EventLog,
  ) {
    this.plan = plan;
    this.actor = new Actor(name, 'collector');
    this.#deployment = deployment;
    this.#log = log;
  }

  /** @param told the run, as soon as it has an id */
  start(told: (run: Run) => void): void {
    void this.actor.run(async () => {
      await after(this.plan.startsAfterSeconds * 1000);
      try {
        await this.#consume(told);
      } catch (error) {
        this.error = error;
        this.#log.note(`the run could not go on: ${error}`);
      }
      this.ended = true;
    });
  }

  async #consume(told: (run: Run) => void): Promise<void> {
    const { inputs, everyMs, ordered, consumerMs, cancelAfterSeconds } = this.plan;
    const source = everyMs > 0 ? stream(inputs, everyMs) : inputs;
    const run = new Run(this.#deployment(this.actor), TASK, source, { ordered });
    this.run = run;
    told(run);
    const cancel = setTimeout(() => this.#cancel(run), (cancelAfterSeconds ?? 0) * 1000);
    if (cancelAfterSeconds === undefined) clearTimeout(cancel);
    try {
      for await (const { lines } of run.batches()) {
        if (consumerMs > 0) await after(consumerMs);
        for (const { text } of lines) this.disk.write(text);
        this.#log.note(`has ${this.disk.results.length} of ${inputs.length}`);
      }
    } finally {
      clearTimeout(cancel);
    }
  }

  #cancel(run: Run): void {
    this.cancelled = true;
    this.#log.note('cancels');
    this.#log.mark('run cancelled');
    void run.cancel();
  }
}

async function* stream(inputs: readonly SimInput[], everyMs: number) {
  for (const input of inputs) {
    await after(everyMs);
    yield input;
  }
}
