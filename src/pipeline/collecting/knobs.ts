import { serviceNow } from '../../clock.ts';
import { type CostLimit, type CostOptions, costLimitOf } from '../messages/cost-limit.ts';
import type { Outage } from '../messages/failing.ts';
import type { Bounds } from '../messages/flow.ts';
import { createdAt, MAX_DEADLINE_SECONDS } from '../names.ts';
import type { Deployment } from '../run/deployment.ts';
import { type RunSettings, settingsOf } from '../run/settings.ts';
import { readTags, TAG_INDEXES, writeTags } from '../run/tags.ts';
import {
  pauseRun,
  type RunChanges,
  setRun,
  type UnpauseOptions,
  unpauseRun,
} from '../seeding/set-run.ts';
import type { Received, ResultReceiver } from './result-receiver.ts';

/**
 * Interval at which a collector reads its run's settings, in milliseconds: of AWS; and of a server,
 * where it grows to a second with the age of the run.
 */
const READ_MS = 30_000;
const READ_ON_SERVER_MS = 250;
const READ_ON_SERVER_MOST_MS = 1_000;
const READ_ON_SERVER_SHARE = 0.02;

type KnobsStart = Bounds & CostOptions & { expiresAt: number };

/**
 * The settings of a run as its collector knows them, and their changes. Others may change them too:
 * while results are received, the collector reads them now and then.
 */
export class Knobs {
  readonly #deployment: Deployment;
  readonly #runId: string;
  readonly #queueUrl: Promise<string | undefined>;
  #settings: RunSettings & { expiresAt: number };
  /** Number of changes by this process: what was read before one is out of date. */
  #changes = 0;
  /** Inputs that workers do not know of yet. */
  readonly #condemned = new Set<number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param queueUrl the run's queue; undefined if the run ended without one */
  constructor(
    deployment: Deployment,
    runId: string,
    queueUrl: Promise<string | undefined>,
    { concurrency, rate, expiresAt, maxCost, pauseAtCost }: KnobsStart,
  ) {
    this.#deployment = deployment;
    this.#runId = runId;
    this.#queueUrl = queueUrl;
    const going = { pausedAt: undefined, outage: undefined };
    const costLimit = costLimitOf({ maxCost, pauseAtCost });
    this.#settings = { concurrency, rate, ...going, expiresAt, costLimit };
  }

  get settings(): RunSettings & { expiresAt: number } {
    return this.#settings;
  }

  set(changes: RunChanges): Promise<RunSettings> {
    return this.#change(() => setRun(this.#deployment, this.#runId, changes));
  }

  pause(): Promise<RunSettings> {
    return this.#change(() => pauseRun(this.#deployment, this.#runId));
  }

  unpause(options: UnpauseOptions | undefined): Promise<RunSettings> {
    return this.#change(() => unpauseRun(this.#deployment, this.#runId, options));
  }

  /** Begins or ends an outage: the run pauses itself, or goes on. */
  setOutage(outage: Outage | undefined): Promise<RunSettings> {
    return this.#change(async () => {
      const queueUrl = await this.#queueUrl;
      const tags = { outage: outage ?? ('none' as const) };
      if (queueUrl !== undefined) await writeTags(this.#deployment.sqs, queueUrl, tags);
      return { ...this.#settings, outage };
    });
  }

  /** Stops the run at its cost limit: it pauses, or its chunks are dropped. */
  stopAtCost(costLimit: CostLimit): Promise<RunSettings> {
    return this.#change(async () => {
      const { sqs } = this.#deployment;
      const queueUrl = await this.#queueUrl;
      const paused = costLimit.pauses ? { pausedAt: serviceNow(sqs) } : {};
      if (queueUrl !== undefined) await writeTags(sqs, queueUrl, { costLimit, ...paused });
      return { ...this.#settings, costLimit, ...paused };
    });
  }

  /**
   * Acknowledges consumed messages, and soon has workers drop those of inputs that kill them: behind
   * such a message, a lane would wait until the run's deadline.
   */
  condemning(receiver: Pick<ResultReceiver, 'acknowledge'>): (received: Received) => void {
    return (received) => {
      receiver.acknowledge(received);
      for (const index of received.condemned ?? []) this.#condemned.add(index);
    };
  }

  /** Follows the changes of others until `end` is called. */
  follow(): void {
    const since = performance.now();
    const readLater = () => {
      const grown = READ_ON_SERVER_SHARE * (performance.now() - since);
      const ms = Math.min(Math.max(READ_ON_SERVER_MS, grown), READ_ON_SERVER_MOST_MS);
      this.#timer = setTimeout(
        () => {
          void this.#condemn().then(() => this.read());
          readLater();
        },
        this.#deployment.countsLate ? READ_MS : ms,
      );
    };
    readLater();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  /** Reads the settings. If that fails, the present ones stay. */
  async read(): Promise<void> {
    const changes = this.#changes;
    try {
      const queueUrl = await this.#queueUrl;
      if (queueUrl === undefined) return;
      const tags = await readTags(this.#deployment.sqs, queueUrl);
      if (changes === this.#changes) this.#take(settingsOf(tags));
    } catch {}
  }

  /** Publishes the inputs that are condemned. If that fails, the next call does. */
  async #condemn(): Promise<void> {
    const indexes = [...this.#condemned];
    if (indexes.length === 0) return;
    const { sqs } = this.#deployment;
    try {
      const queueUrl = await this.#queueUrl;
      if (queueUrl === undefined) return;
      // Those that another collector has condemned may still hold up a lane.
      const { condemned = [] } = await readTags(sqs, queueUrl);
      const all = [...new Set([...condemned, ...indexes])];
      await writeTags(sqs, queueUrl, { condemned: all.slice(-TAG_INDEXES) });
      for (const index of indexes) this.#condemned.delete(index);
    } catch {}
  }

  async #change(change: () => Promise<RunSettings>): Promise<RunSettings> {
    // A run has no settings until its queue exists.
    await this.#queueUrl;
    const settings = await change();
    this.#changes++;
    this.#take(settings);
    return this.#settings;
  }

  /** Takes settings over. A deadline only moves to later, and within the limit of all runs. */
  #take({ expiresAt = 0, ...others }: RunSettings): void {
    const latest = (createdAt(this.#runId) ?? 0) + MAX_DEADLINE_SECONDS * 1000;
    const known = this.#settings.expiresAt;
    this.#settings = { ...others, expiresAt: Math.max(known, Math.min(expiresAt, latest)) };
  }
}
