import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Endpoint } from '../endpoint/connection.ts';
import { messageOf } from '../errors.ts';
import { isTransient } from '../pipeline/call-errors.ts';
import { laneQueueUrl } from '../pipeline/queue-urls.ts';
import {
  deliver,
  type RecoverOptions,
  recover,
  release,
  remove,
} from '../pipeline/working/recover.ts';
import type { InHand } from './in-flight-journal.ts';
import type { Death } from './worker-process.ts';

/** Description of a problem; `passing` if it was a call that may succeed later. */
export interface Trouble {
  message: string;
  passing: boolean;
}

export interface RecoveryOptions extends Pick<RecoverOptions, 'taskQueueUrl' | 'retryOf'> {
  sqs: SQSClient;
  /** The server or stack whose queues the workers use. */
  place: Endpoint;
  onTrouble: (trouble: Trouble) => void;
}

const NOTHING_RUNNING = { suspects: [], again: [], settled: [] };

/** Takes over the duties of dead worker processes: their results, and the messages they held. */
export class Recovery {
  readonly #options: RecoveryOptions;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /**
   * @param worker name of the worker
   * @param death of its process
   * @param options how it ended
   * @param options.stopped whether it was told to stop, so that no item is to blame
   */
  begin(worker: string, death: Death, { stopped = false } = {}): void {
    const delivered = this.#deliver(worker, death);
    this.#track(delivered);
    for (const inHand of death.inHand) {
      const left = stopped ? asStopped(inHand) : inHand;
      // If a chunk can't be sent back, SQS redelivers it when the dead worker's claim ends.
      this.#track(
        this.#giveBack(worker, death, left, delivered).catch((error) =>
          this.#report(worker, error),
        ),
      );
    }
  }

  /** Resolves once all that has begun has ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  #track(work: Promise<unknown>): void {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }

  #report(worker: string, error: unknown): void {
    const message = `${worker}: ${messageOf(error)}`;
    this.#options.onTrouble({ message, passing: isTransient(error) });
  }

  /** Sends the results that the process could not send. Returns whether SQS has them. */
  async #deliver(worker: string, { unsent }: Death): Promise<boolean> {
    try {
      await deliver(this.#options.sqs, unsent);
      return true;
    } catch (error) {
      this.#report(worker, error);
      return false;
    }
  }

  async #giveBack(
    worker: string,
    { cause, stray, overran }: Death,
    { receiptHandle, isLane, state, body, lastWords }: InHand,
    delivered: Promise<boolean>,
  ): Promise<void> {
    const { sqs, place, taskQueueUrl, retryOf } = this.#options;
    const queueUrl = isLane ? laneQueueUrl(taskQueueUrl) : taskQueueUrl;
    if (state === 'settled') return remove(sqs, queueUrl, receiptHandle);
    // Results that SQS doesn't have are lost: the whole chunk runs again.
    if (body === undefined || !(await delivered)) return release(sqs, queueUrl, receiptHandle);
    return recover({
      sqs,
      taskQueueUrl,
      onServer: !('stack' in place),
      worker,
      queueUrl,
      receiptHandle,
      body,
      lastWords: lastWords ?? (state === 'ran' ? NOTHING_RUNNING : undefined),
      inSetup: state === 'inSetup',
      cause,
      stack: stray?.stack,
      overran,
      retryOf,
    });
  }
}

/**
 * A message of a process that died while it was stopping, which is not the fault of its items. The
 * unfinished items are sent back; if those are not known, the whole message is released.
 */
function asStopped(inHand: InHand): InHand {
  const { receiptHandle, isLane = false, state, lastWords } = inHand;
  if (!lastWords) return { receiptHandle, isLane, state };
  const innocent = { ...lastWords, suspects: [] };
  return { ...inHand, state: state === 'inSetup' ? 'running' : state, lastWords: innocent };
}
