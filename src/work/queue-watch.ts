import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { sqsAt } from '../endpoint/clients.ts';
import type { FanfoldError } from '../errors.ts';
import { backoffMs, wait } from '../retry.ts';
import type { WorkTarget } from './work-target.ts';

export interface WatchOptions {
  site: WorkTarget;
  /** Told once that the server is away, with the reason, and once that it is back. */
  onAway: (reason: string) => void;
  onBack: () => void;
  /** Told when it is there and refuses us: that does not pass. The watch has ended. */
  onRefused: (error: FanfoldError) => void;
  /** Told when several looks in a row have found the queue empty. */
  onEmpty: () => void;
}

const LOOK_MS = 1_000;
/** Each look costs on AWS. */
const LOOK_AWS_MS = 5_000;
const LOOK_CAP_MS = 10_000;

/** A server under load may be slow to answer one look. */
const TIMEOUT_MS = 5_000;
const AWAY_LOOKS = 2;

/** SQS counts approximately, and a chunk on its way from a worker back to the queue is in neither. */
const EMPTY_LOOKS = 3;
const EMPTY_LOOK_MS = 300;
/**
 * AWS's counts may be behind by a minute.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
 */
const EMPTY_LOOK_AWS_MS = 30_000;

/**
 * Looks at the task queue, again and again: how many chunks are left, and whether the server is
 * there. It is there at first; away after two looks that failed; there again after one that did
 * not; and looked for ever less often meanwhile.
 */
export class Watch {
  readonly #options: WatchOptions;
  readonly #sqs: SQSClient;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #failures = 0;
  #empty = 0;
  #left: number | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#sqs = sqsAt(options.site.place, { timeoutMs: TIMEOUT_MS, maxAttempts: 1 });
    this.#ended = this.#watch();
  }

  /** Chunks in the task queue, those that are worked on included; undefined while it is not known. */
  get left(): number | undefined {
    return this.#left;
  }

  get away(): boolean {
    return this.#failures >= AWAY_LOOKS;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
    this.#sqs.destroy();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        this.#see(await this.#look());
      } catch (error) {
        if (signal.aborted || !(await this.#fail(error))) return;
      }
      await wait(this.#pauseMs(), signal);
    }
  }

  #pauseMs(): number {
    if (this.#failures === 1) return 0;
    if (this.#failures > 1) {
      return backoffMs(this.#failures - AWAY_LOOKS, { baseMs: LOOK_MS, capMs: LOOK_CAP_MS });
    }
    const isAws = 'stack' in this.#options.site.place;
    if (this.#empty === 0 || this.#empty >= EMPTY_LOOKS) return isAws ? LOOK_AWS_MS : LOOK_MS;
    return isAws ? EMPTY_LOOK_AWS_MS : EMPTY_LOOK_MS;
  }

  async #look(): Promise<number> {
    const { Attributes = {} } = await this.#sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: this.#options.site.queues.taskQueueUrl,
        AttributeNames: [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesDelayed',
          'ApproximateNumberOfMessagesNotVisible',
        ],
      }),
      { abortSignal: this.#stop.signal },
    );
    return Object.values(Attributes).reduce((sum, text) => sum + Number(text), 0);
  }

  #see(left: number): void {
    const wasAway = this.away;
    this.#failures = 0;
    this.#left = left;
    this.#empty = left === 0 ? this.#empty + 1 : 0;
    if (wasAway) this.#options.onBack();
    if (this.#empty === EMPTY_LOOKS) this.#options.onEmpty();
  }

  /** Whether it is worth looking again. */
  async #fail(error: unknown): Promise<boolean> {
    this.#failures++;
    this.#empty = 0;
    this.#left = undefined;
    const { site } = this.#options;
    const why = await site.explain(error);
    if (site.isRefusal(error)) {
      this.#options.onRefused(why);
      return false;
    }
    if (this.#failures === AWAY_LOOKS) this.#options.onAway(why.message);
    return true;
  }
}
