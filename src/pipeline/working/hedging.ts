import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Chunk, ChunkItem } from '../messages/chunk.ts';
import { sendAll } from '../run/send.ts';
import type { Claim } from './claim.ts';
import { type Bounded, sendToOtherLanes } from './lanes.ts';
import { messagesOf, PARTS } from './resend.ts';
import type { Execution } from './task-runner.ts';

interface HedgedChunk {
  sqs: SQSClient;
  taskQueueUrl: string;
  chunk: Chunk;
  claim: Claim;
  bounded?: Bounded | undefined;
}

/**
 * Sends items of a chunk that hold up the run's end to other workers: those that run for long, and
 * those that wait behind them.
 *
 * In a run with bounds they go to other lanes, so that they run within the bounds. These lanes may
 * be held up, too. So they go to others again in each further round.
 */
export class Hedging {
  readonly #hedged: HedgedChunk;
  readonly #execution: Execution;
  readonly #slow: ChunkItem[] = [];
  readonly #waiting: ChunkItem[] = [];
  /** Indexes of items that others are sent. */
  readonly #sent = new Set<number>();
  #round = 0;
  /** Indexes of items that are no longer this chunk's. */
  readonly elsewhere = new Set<number>();

  constructor(hedged: HedgedChunk, execution: Execution) {
    this.#hedged = hedged;
    this.#execution = execution;
  }

  /**
   * @param ms time from which an item runs for long
   * @param round number of times that items are to be sent to other lanes, beyond the first
   */
  async look(ms: number, round: number): Promise<void> {
    const execution = this.#execution;
    const { claim, bounded } = this.#hedged;
    // Nothing else may run within the bounds of a single lane.
    if (claim.lost || bounded?.flow.lanes === 1) return;
    const isNew = ({ index }: ChunkItem) => !this.#sent.has(index);
    const slow = execution.runningFor(ms).filter(isNew);
    const isNewRound = bounded !== undefined && round > this.#round && this.#slow.length > 0;
    if (slow.length === 0 && !isNewRound) return;
    execution.stop();
    const waiting = execution.left.filter(isNew);
    for (const { index } of [...slow, ...waiting]) this.#sent.add(index);
    this.#slow.push(...slow);
    this.#waiting.push(...waiting);
    this.#round = round;
    if (isNewRound) await this.#send(this.#slow, this.#waiting);
    else await this.#send(slow, waiting);
    for (const { index } of waiting) this.elsewhere.add(index);
  }

  async #send(slow: readonly ChunkItem[], waiting: readonly ChunkItem[]): Promise<void> {
    const { sqs, taskQueueUrl, chunk, bounded } = this.#hedged;
    const copied = { ...chunk, hedge: undefined };
    if (bounded) {
      await sendToOtherLanes({ sqs, taskQueueUrl }, copied, slow, bounded, this.#round);
      await sendToOtherLanes({ sqs, taskQueueUrl }, chunk, waiting, bounded, this.#round);
      return;
    }
    const { concurrency } = this.#execution;
    await sendAll(sqs, taskQueueUrl, [
      ...messagesOf(copied, slow, concurrency),
      ...messagesOf(chunk, waiting, Math.max(concurrency, Math.ceil(waiting.length / PARTS))),
    ]);
  }
}
