import { randomUUID } from 'node:crypto';
import type { Queue } from './engine/queue.ts';
import type { Queues } from './engine/queues.ts';
import { SqsError } from './errors.ts';
import { MOVE_RATE, MOVE_TASK_RESULTS } from './limits.ts';

/** What becomes of a move task: it runs, and ends in one of four ways. */
type MoveStatus = 'RUNNING' | 'COMPLETED' | 'CANCELLED' | 'FAILED';

/** One move of a dead-letter queue's messages, back to where they came from or to one queue. */
interface MoveTask {
  readonly handle: string;
  readonly source: Queue;
  /** Undefined: each message goes back to its own source. */
  readonly destinationArn: string | undefined;
  readonly perSecond: number | undefined;
  readonly startedAt: number;
  /** How many there were to move at the start. */
  readonly toMove: number;
  moved: number;
  status: MoveStatus;
  failure: string | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** How often a running task moves what is due, in milliseconds. */
const TICK_MS = 100;

/**
 * Moves the messages of dead-letter queues, at most 500 a second each. A task runs until its queue
 * has given all that it had; what arrives meanwhile is moved as well. A timer runs only while a
 * task does.
 */
export class MoveTasks {
  readonly #queues: Queues;
  readonly #onMoved: (now: number) => void;
  /** By source ARN, the latest first. */
  readonly #tasks = new Map<string, MoveTask[]>();

  /** @param onMoved called when queues have changed by themselves */
  constructor(queues: Queues, onMoved: (now: number) => void) {
    this.#queues = queues;
    this.#onMoved = onMoved;
  }

  start(
    sourceArn: string,
    destinationArn: string | undefined,
    perSecond: number | undefined,
    now: number,
  ): string {
    const source = this.#source(sourceArn);
    if (this.#queues.sourcesOf(source).length === 0) {
      throw refused('Source queue must be configured as a Dead Letter Queue.');
    }
    if (destinationArn !== undefined) this.#checkDestination(source, destinationArn);
    const tasks = this.#tasksOf(source);
    if (tasks.some(({ status }) => status === 'RUNNING')) {
      throw refused(
        'There is already a task running. Only one active task is allowed for a source queue arn at a given time.',
      );
    }
    const task: MoveTask = {
      handle: handleOf(sourceArn),
      source,
      destinationArn,
      perSecond,
      startedAt: now,
      toMove: source.counts(now).visible,
      moved: 0,
      status: 'RUNNING',
      failure: undefined,
      timer: undefined,
    };
    this.#tasks.set(sourceArn, [task, ...tasks].slice(0, MOVE_TASK_RESULTS.max));
    this.#advanceLater(task);
    return task.handle;
  }

  /** @returns how many messages it had moved */
  cancel(handle: string): number {
    const sourceArn = sourceOf(handle);
    const tasks = this.#tasksOf(this.#source(sourceArn));
    const task = tasks.find((one) => one.handle === handle);
    if (task?.status !== 'RUNNING') {
      throw new SqsError('ResourceNotFoundException', 'Task does not exist.');
    }
    clearTimeout(task.timer);
    task.status = 'CANCELLED';
    return task.moved;
  }

  /** The latest tasks of a queue, as the API tells of them. */
  list(sourceArn: string, count: number): Readonly<Record<string, unknown>>[] {
    const tasks = this.#tasksOf(this.#source(sourceArn));
    return tasks.slice(0, count).map((task) => ({
      ...(task.status === 'RUNNING' ? { TaskHandle: task.handle } : {}),
      Status: task.status,
      SourceArn: task.source.arn,
      ...(task.destinationArn === undefined ? {} : { DestinationArn: task.destinationArn }),
      ...(task.perSecond === undefined ? {} : { MaxNumberOfMessagesPerSecond: task.perSecond }),
      ApproximateNumberOfMessagesMoved: task.moved,
      ApproximateNumberOfMessagesToMove: task.toMove,
      ...(task.failure === undefined ? {} : { FailureReason: task.failure }),
      StartedTimestamp: task.startedAt,
    }));
  }

  /** Ends all of them. */
  close(): void {
    for (const tasks of this.#tasks.values()) for (const { timer } of tasks) clearTimeout(timer);
    this.#tasks.clear();
  }

  #advanceLater(task: MoveTask): void {
    task.timer = setTimeout(() => {
      const now = Date.now();
      this.#advance(task, now);
      if (task.status === 'RUNNING') this.#advanceLater(task);
      this.#onMoved(now);
    }, TICK_MS);
  }

  /** Moves what is due by now. */
  #advance(task: MoveTask, now: number): void {
    const { source, perSecond = MOVE_RATE.max, startedAt } = task;
    const due = Math.floor(((now - startedAt) / 1000) * perSecond);
    while (task.moved < due) {
      if (source.counts(now).visible === 0 || this.#queues.byArn(source.arn) !== source) {
        task.status = 'COMPLETED';
        return;
      }
      const moved = source.moveNext(
        ({ deadLetterSourceArn }) =>
          this.#queues.byArn(task.destinationArn ?? deadLetterSourceArn ?? ''),
        now,
      );
      if (!moved) {
        task.status = 'FAILED';
        task.failure =
          task.destinationArn === undefined
            ? 'CouldNotDetermineMessageSource'
            : 'AWS.SimpleQueueService.NonExistentQueue';
        return;
      }
      task.moved++;
    }
  }

  /** Those of the queue itself, not of an earlier one of its name. */
  #tasksOf(source: Queue): MoveTask[] {
    return this.#tasks.get(source.arn)?.filter((task) => task.source === source) ?? [];
  }

  #source(arn: string): Queue {
    const queue = this.#queues.byArn(arn);
    if (queue) return queue;
    throw new SqsError(
      'ResourceNotFoundException',
      "The resource that you specified for the SourceArn parameter doesn't exist.",
    );
  }

  #checkDestination(source: Queue, arn: string): void {
    const destination = this.#queues.byArn(arn);
    if (destination === undefined) {
      throw new SqsError(
        'ResourceNotFoundException',
        "The resource that you specified for the DestinationArn parameter doesn't exist.",
      );
    }
    if (destination === source)
      throw refused('Source queue arn and destination queue arn are the same.');
    if (destination.isFifo !== source.isFifo) {
      throw refused('Source queue and destination queue must be of the same type.');
    }
  }
}

function refused(message: string): SqsError {
  return new SqsError('InvalidParameterValue', message);
}

/** Opaque to clients; it says which queue's task it is. */
function handleOf(sourceArn: string): string {
  return Buffer.from(JSON.stringify({ taskId: randomUUID(), sourceArn })).toString('base64');
}

function sourceOf(handle: string): string {
  try {
    const { sourceArn }: { sourceArn?: unknown } = JSON.parse(
      Buffer.from(handle, 'base64').toString(),
    );
    if (typeof sourceArn === 'string') return sourceArn;
  } catch {
    // Refused below, like a handle that says nothing of a queue.
  }
  throw new SqsError('InvalidParameterValue', 'Value for parameter TaskHandle is invalid.');
}
