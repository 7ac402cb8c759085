import type { SQSClient } from '@aws-sdk/client-sqs';
import { FanfoldError, messageOf } from '../../errors.ts';
import { recover, release } from '../../pipeline/working/recover.ts';
import type { HandedOut } from './handed-out.ts';
import type { Start, TaskFacts } from './protocol.ts';
import { type Death, type InHand, WorkerProcess } from './worker-process.ts';

export interface WorkersOptions extends Omit<Start, 'worker' | 'appId'> {
  /** How many processes. */
  count: number;
  sqs: SQSClient;
  taskQueueUrl: string;
  /** What the SQS at the endpoint has handed out, where that is known. */
  handedOut: HandedOut;
  /** Told when the workers can't go on: replacements don't start any more. */
  onFailure: (error: FanfoldError) => void;
  /** Told of what was mended: a process that died, a call that failed. */
  onTrouble: (message: string) => void;
}

const NOTHING_RUNNING = { running: [], settled: [] };

/** Processes in a row that may die before they have started. */
const FAILED_STARTS = 3;

/** A blocked process is given this much more than a task's timeoutSeconds. */
const BLOCKED_MARGIN_SECONDS = 5;

/**
 * Supervised worker processes. One that dies is replaced, and its chunks are done again by others
 * at once: the supervisor sends back what the dead one owed.
 */
export class Workers {
  /** The tasks of the tasks module, once the first process has loaded it; rejects when none can. */
  readonly ready: Promise<TaskFacts[]>;
  readonly #options: WorkersOptions;
  readonly #ready = Promise.withResolvers<TaskFacts[]>();
  readonly #processes = new Set<WorkerProcess>();
  readonly #recovering = new Set<Promise<void>>();
  readonly #tasks = new Map<string, TaskFacts>();
  #starts = 0;
  #failedStarts = 0;
  #closed = false;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.ready = this.#ready.promise;
    this.ready.catch(() => {});
    for (let number = 1; number <= options.count; number++) this.#start(`worker-${number}`);
  }

  get size(): number {
    return this.#processes.size;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(Array.from(this.#processes, (process) => process.stop()));
    await Promise.all(this.#recovering);
  }

  #start(worker: string): void {
    const { tasks, endpoint, region, name, sliceSeconds, handedOut, onTrouble } = this.#options;
    const appId = `${worker}-${++this.#starts}`;
    const process = new WorkerProcess({
      start: { tasks, endpoint, region, name, worker, appId, sliceSeconds },
      onTaken: () => handedOut.taken(appId),
      onReady: (facts) => {
        this.#failedStarts = 0;
        for (const task of facts) this.#tasks.set(task.name, task);
        this.#ready.resolve(facts);
      },
      onTrouble: (message) => onTrouble(`${worker}: ${message}`),
      onDeath: (death) => {
        this.#processes.delete(process);
        handedOut.died(appId);
        this.#replace(worker, death);
      },
      blockedSeconds: (task) =>
        (this.#tasks.get(task)?.timeoutSeconds ?? 0) + BLOCKED_MARGIN_SECONDS,
    });
    this.#processes.add(process);
  }

  #replace(worker: string, death: Death): void {
    if (this.#closed) return;
    const { onTrouble } = this.#options;
    if (!death.started) {
      this.#failedStarts++;
      const hopeless = this.#tasks.size === 0 || this.#failedStarts >= FAILED_STARTS;
      if (hopeless) {
        this.#fail(death);
        return;
      }
    } else if (!death.orderly) {
      onTrouble(`${worker} died (${death.cause}) and is replaced`);
    }
    for (const inHand of death.inHand) this.#recover(worker, death, inHand);
    this.#start(worker);
  }

  #fail({ unloadable, cause }: Death): void {
    const why = unloadable ?? `the process that loads it ended with ${cause}`;
    const error = new FanfoldError(
      'BadTask',
      `The tasks module ${displayed(this.#options.tasks)} cannot be used: ${why}`,
    );
    this.#closed = true;
    this.#ready.reject(error);
    this.#options.onFailure(error);
  }

  #recover(worker: string, { cause, overran }: Death, inHand: InHand): void {
    const { sqs, taskQueueUrl, onTrouble } = this.#options;
    const { receiptHandle, begun, ran, lastWords } = inHand;
    const recovered = (
      begun?.body === undefined
        ? release(sqs, taskQueueUrl, receiptHandle)
        : recover({
            sqs,
            taskQueueUrl,
            worker,
            receiptHandle,
            body: begun.body,
            lastWords: lastWords ?? (ran ? NOTHING_RUNNING : undefined),
            cause,
            overran,
            retry: this.#tasks.get(begun.task),
          })
    )
      // What could not be sent back comes back by itself, when the dead worker's claim ends.
      .catch((error: unknown) => onTrouble(`${worker}: ${messageOf(error)}`))
      .finally(() => this.#recovering.delete(recovered));
    this.#recovering.add(recovered);
  }
}

function displayed(url: string): string {
  return url.startsWith('file:') ? decodeURIComponent(new URL(url).pathname) : url;
}
