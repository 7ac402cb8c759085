import type { ServiceResponse } from '../../src/emulator/transport/index.ts';
import { trueNow } from './actors.ts';
import { entriesOf, readAnswer, type SqsCall } from './sqs-call.ts';
import { indexesOf, runOf } from './wire-messages.ts';
import type { WireRun } from './wire-run.ts';

/** Time for which a collector that ends a run early drains its queue, in milliseconds. */
const DRAIN_MS = 1_000;

/** Facts that the simulation knows independently of the wire. */
export interface Truth {
  /** Whether a consumer has the result of an input. */
  hasResult(queue: string, index: number): boolean;
  /** The number of a run's inputs; undefined for an unknown run. */
  inputsOf(runId: string): number | undefined;
  /** Bodies of the messages that a receive would find now. */
  visible(queue: string): string[];
}

/** Short polls with which a collector drains a queue. */
interface Drain {
  since: number;
  /** Whether the last response had messages. */
  found: boolean;
}

/**
 * Watches the queues of runs for violations: a result that is deleted before its
 * consumer has it, alone or with its queue; a queue whose tags have too few inputs.
 */
export class ResultQueues {
  readonly #violations: string[];
  readonly #truth: Truth;
  readonly #run: (runId: string) => WireRun;
  /** Result indexes that a receipt handle stands for. */
  readonly #results = new Map<string, number[]>();
  /** By collector and queue. */
  readonly #drains = new Map<string, Drain>();

  constructor(violations: string[], truth: Truth, run: (runId: string) => WireRun) {
    this.#violations = violations;
    this.#truth = truth;
    this.#run = run;
  }

  /** Called when a call starts. */
  asked(call: SqsCall): void {
    const { action, queue, actor, parameters } = call;
    if (action.startsWith('DeleteMessage')) {
      for (const { ReceiptHandle = '' } of entriesOf(call))
        this.#acknowledged(queue, ReceiptHandle);
    } else if (action === 'DeleteQueue' && actor.kind === 'collector') this.#ends(call);
    else if (action === 'ReceiveMessage' && parameters.WaitTimeSeconds === 0) {
      const { since } = this.#drains.get(keyOf(call)) ?? { since: trueNow() };
      this.#drains.set(keyOf(call), { since, found: false });
    }
  }

  /** A queue was made. */
  made({ queue, parameters: { tags = {} } }: SqsCall): void {
    const inputs = this.#truth.inputsOf(runOf(queue));
    const told = tags.total === undefined ? undefined : Number(tags.total);
    if (inputs === undefined || (told === undefined && tags.state !== 'sealed')) return;
    if (told === inputs) return;
    this.#violations.push(`The tags of ${queue} tell of ${told} inputs; it has ${inputs}.`);
  }

  /** Called when a message is delivered. */
  received(queue: string, handle: string, body: string): void {
    this.#results.set(handle, indexesOf(body, runOf(queue)));
  }

  /** Called when the caller has the response. */
  confirmed(call: SqsCall, response: ServiceResponse): void {
    const drain = this.#drains.get(keyOf(call));
    if (drain === undefined || call.parameters.WaitTimeSeconds !== 0) return;
    drain.found = response.status === 200 && (readAnswer(response).Messages ?? []).length > 0;
  }

  #acknowledged(queue: string, handle: string): void {
    for (const index of this.#results.get(handle) ?? []) {
      if (this.#truth.hasResult(queue, index)) continue;
      this.#violations.push(
        `The result of input ${index} in ${queue} was deleted before its consumer had taken it.`,
      );
    }
  }

  /** A collector deletes the queue of a run that it ends: it must have looked into it. */
  #ends(call: SqsCall): void {
    const { queue } = call;
    const drain = this.#drains.get(keyOf(call));
    if (drain && (!drain.found || trueNow() - drain.since >= DRAIN_MS)) return;
    const run = this.#run(runOf(queue));
    if (run.over) return;
    const left = this.#truth
      .visible(queue)
      .flatMap((body) => indexesOf(body, runOf(queue)))
      .filter((index) => run.item(index).reported && !this.#truth.hasResult(queue, index));
    if (left.length === 0) return;
    this.#violations.push(`${queue} was deleted, and held results of inputs ${left.join(', ')}.`);
  }
}

function keyOf({ actor, queue }: SqsCall): string {
  return `${actor.name} ${queue}`;
}
