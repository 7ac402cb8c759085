import { Random } from '../../src/worlds/planned/random.ts';
import { Consumer } from './consumer.ts';
import { reseed } from './determinism.ts';
import { EventLog } from './event-log.ts';
import { FlowOracle } from './flow-oracle.ts';
import { boundsOf } from './flow-watch.ts';
import { Oracle } from './oracle.ts';
import type { FlowPlan, RunPlan, Scenario } from './scenario.ts';
import { type Stop, VirtualTime } from './virtual-time.ts';
import { World } from './world.ts';

/** Virtual time at which every simulation begins. */
const START = Date.UTC(2027, 0, 1);

/**
 * Time after the last fault by which everything must have ended, in virtual milliseconds: an
 * hour, and the time for work that may have started again several times.
 */
const LIVENESS_MS = 3_600_000;
const BEGUN_ANEW = 6;

/** Longest pause of a run, and time that an input is on its way to a lane, in milliseconds. */
const PAUSED_MS = 200_000;
const HOP_MS = 2_000;

/** Longest time until a worn-out worker is replaced, in milliseconds. */
const REPLACED_MS = 20_000;

function livenessMs({ runs, task, lambdaWorkers, pullWorkers }: Scenario): number {
  const attempts = runs.flatMap(({ inputs }) =>
    inputs.map(({ ms }) =>
      ms < 1_000 ? ms : Math.min(ms, task.timeoutSeconds * 1000) + REPLACED_MS,
    ),
  );
  const tries = task.maxAttempts * BEGUN_ANEW;
  const workMs = attempts.reduce((sum, ms) => sum + ms, 0) * tries;
  const workers = Math.min(lambdaWorkers + pullWorkers, Math.max(1, attempts.length));
  const flows = runs.flatMap((plan) => (plan.flow ? [slowestMs(plan, plan.flow) * tries] : []));
  return LIVENESS_MS + workMs / workers + Math.max(0, ...flows);
}

/** The time that the narrowest of its bounds gives a run for its attempts, and its pauses. */
function slowestMs({ inputs }: RunPlan, { bounds, changes }: FlowPlan): number {
  const all = [bounds, ...changes.map((change) => ('set' in change ? change.set : {}))];
  const times = all.map(({ concurrency = 1_000, rate }) => {
    const { starts, windowMs } = boundsOf(`rate=${rate}`).rate ?? { starts: 1, windowMs: 0 };
    const workMs = inputs.reduce((sum, { ms }) => sum + ms + HOP_MS, 0);
    return (inputs.length * windowMs) / starts + workMs / concurrency;
  });
  return Math.max(...times) + PAUSED_MS * changes.length;
}

/** Longest time to stop idle parts: a function's timeout, for hanging attempts. */
const CLOSING_MS = 3 * 60_000;

/** Longest time that a task continues after its timeout, on the slowest worker, in milliseconds. */
const LONGEST_TASK_MS = 2 * 3_600_000;

/** The outcome of a simulation. */
export interface Outcome {
  /** The failure: a forbidden event, or a required event that is missing. */
  failure: { kind: 'safety' | 'liveness'; message: string } | undefined;
  log: EventLog;
  /** SDK calls. */
  calls: number;
  virtualMs: number;
  /** Virtual time until the last run had all its results. */
  endedMs: number;
}

/** Runs one scenario: first with faults, then healed, then to its end. */
export async function simulate(scenario: Scenario): Promise<Outcome> {
  reseed(scenario.seed);
  const time = new VirtualTime(START);
  const log = new EventLog();
  const world = new World(scenario, new Random(scenario.seed ^ 0x5eed), log);
  let failure: Outcome['failure'];
  const { error } = console;
  // Lines of Lambda's log.
  console.error = (reason: unknown) => log.note(`logs ${reason}`);
  try {
    await world.start();
    failure = await new Disaster(scenario, world, time, log).run();
  } finally {
    time.uninstall();
    console.error = error;
  }
  const endedMs = Math.max(...world.consumers.map(({ endedAt = START }) => endedAt - START));
  return { failure, log, calls: world.calls, virtualMs: log.elapsed, endedMs };
}

class Disaster {
  readonly #scenario: Scenario;
  readonly #world: World;
  readonly #time: VirtualTime;
  readonly #log: EventLog;
  #lookedAt = -1;

  constructor(scenario: Scenario, world: World, time: VirtualTime, log: EventLog) {
    this.#scenario = scenario;
    this.#world = world;
    this.#time = time;
    this.#log = log;
  }

  async run(): Promise<Outcome['failure']> {
    const world = this.#world;
    const time = this.#time;
    const ended = () => world.consumers.every((consumer) => consumer.ended);
    await time.run(() => this.#broken || ended(), this.#scenario.faultSeconds * 1000);
    world.faults.heal();
    this.#log.note('healed');
    const quiet = () => ended() && this.#queueIsEmpty();
    const stop = await time.run(
      () => this.#broken || quiet(),
      time.elapsed + livenessMs(this.#scenario),
    );
    const safety = this.#safety();
    if (safety) return { kind: 'safety', message: safety };
    if (stop !== 'done') return { kind: 'liveness', message: this.#unfinished(stop) };
    this.#markEnds();
    let closed = false;
    void world.close().then(() => {
      closed = true;
    });
    const closing = await time.run(() => closed, time.elapsed + CLOSING_MS);
    if (closing !== 'done') return { kind: 'liveness', message: 'What is idle does not stop.' };
    await time.run(() => time.timers().length === 0, time.elapsed + LONGEST_TASK_MS);
    const left = this.#left();
    return left ? { kind: 'safety', message: left } : undefined;
  }

  /** Whether a failure is already known, so that the rest need not be simulated. */
  get #broken(): boolean {
    return (
      this.#world.wire.violations.length > 0 ||
      this.#time.strays.size > 0 ||
      this.#time.rejections.length > 0
    );
  }

  #markEnds(): void {
    for (const { disk, run } of this.#world.consumers) {
      this.#log.mark('duplicate result dropped', run?.ledger.duplicates);
      for (const result of disk.results) {
        this.#log.mark(
          result.status === 'failed' ? `ended as ${result.error.code}` : `ended ${result.status}`,
        );
      }
    }
  }

  /** Checks once a second, because reading a queue costs time. */
  #queueIsEmpty(): boolean {
    const second = Math.floor(this.#time.elapsed / 1000);
    if (second === this.#lookedAt) return false;
    this.#lookedAt = second;
    return this.#world.unfinished().length === 0;
  }

  #safety(): string | undefined {
    const { wire, executions, consumers } = this.#world;
    const { strays, rejections } = this.#time;
    const oracle = new Oracle(this.#scenario, executions, wire);
    const flows = new FlowOracle(this.#scenario, executions, wire.flows);
    const found = [
      ...wire.violations,
      ...this.#world.stored.violations,
      ...consumers.flatMap((consumer) => ('faults' in consumer ? consumer.faults : [])),
      ...Array.from(strays.values(), (stack) => `The code waits for something real: ${stack}`),
      ...rejections.map((reason) => `A promise was rejected that nobody handles: ${reason}`),
      ...consumers.filter(({ ended }) => ended).flatMap((consumer) => oracle.faultsOf(consumer)),
      ...consumers.flatMap((consumer) =>
        consumer instanceof Consumer ? flows.faultsOf(consumer) : [],
      ),
    ];
    return found.length > 0 ? found.slice(0, 5).join('\n') : undefined;
  }

  /** Parts of a closed world that are still active. */
  #left(): string | undefined {
    const { names } = this.#world;
    const dead = this.#world.bodies(names.dead);
    const garbage = new Set(this.#world.garbage());
    const strange = dead.filter((body) => !garbage.has(body));
    if (strange.length > 0) return `In the dead-letter queue is what can be read: ${strange[0]}`;
    const unfound = [...garbage].filter((body) => !dead.includes(body));
    if (unfound.length > 0) return `Nobody moved this to the dead-letter queue: ${unfound[0]}`;
    const timers = this.#time.timers();
    return timers.length > 0 ? `Timers are left of ${timers.join(', ')}.` : undefined;
  }

  #unfinished(stop: Stop): string {
    const world = this.#world;
    const waiting = world.consumers
      .filter(({ ended }) => !ended)
      .map(({ name, disk, plan, error }) => {
        const missing = [...plan.inputs.keys()].filter((index) => !disk.has(index));
        return `${name} has no results of inputs ${missing.join(', ')} (last error: ${error})`;
      });
    const queued = world.unfinished().length;
    const hours = (livenessMs(this.#scenario) / 3_600_000).toFixed(1);
    const when =
      stop === 'idle' ? 'Nothing is left to wait for' : `${hours} h after the last fault`;
    return `${when}: ${[...waiting, `${queued} task messages are left`].join('; ')}.`;
  }
}
