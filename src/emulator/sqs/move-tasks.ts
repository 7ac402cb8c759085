import { randomUUID } from 'node:crypto';
import type { Accounts } from './engine/accounts.ts';
import type { Queue } from './engine/queue.ts';
import type { MoveTask } from './engine/queue-state.ts';
import type { Queues } from './engine/queues.ts';
import { SqsError } from './errors.ts';
import { MOVE_RATE, MOVE_TASK_RESULTS } from './limits.ts';
import type { ServiceTime } from './service-time.ts';

/** A running task: since when it runs, and how many messages it had moved by then. */
interface Run {
  readonly handle: string;
  readonly since: number;
  readonly movedBefore: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** Interval at which a running task moves the messages that are due, in milliseconds. */
const TICK_MS = 100;

/**
 * Moves the messages of dead-letter queues, at most 500 a second each. A task runs until its queue
 * is empty, and also moves messages that arrive meanwhile. A timer runs only while a task does.
 * Each queue holds the state of its tasks; if the queue is stored, its running tasks resume after a
 * restart.
 */
export class MoveTasks {
  readonly #accounts: Accounts;
  readonly #onMoved: (now: number) => void;
  readonly #time: ServiceTime;
  readonly #runs = new Map<Queue, Run>();

  /** @param onMoved called when queues have changed without a request */
  constructor(accounts: Accounts, onMoved: (now: number) => void, time: ServiceTime) {
    this.#accounts = accounts;
    this.#onMoved = onMoved;
    this.#time = time;
  }

  /** @param queues the caller's, which must contain the source and the destination */
  start(
    queues: Queues,
    sourceArn: string,
    destinationArn: string | undefined,
    perSecond: number | undefined,
    now: number,
  ): string {
    const source = sourceIn(queues, sourceArn);
    if (queues.sourcesOf(source).length === 0) {
      throw refused('Source queue must be configured as a Dead Letter Queue.');
    }
    if (destinationArn !== undefined) checkDestination(queues, source, destinationArn);
    if (source.moveTasks.some(({ status }) => status === 'RUNNING')) {
      throw refused(
        'There is already a task running. Only one active task is allowed for a source queue arn at a given time.',
      );
    }
    const task: MoveTask = {
      handle: handleOf(sourceArn),
      destinationArn,
      perSecond,
      startedAt: now,
      toMove: source.counts(now).visible,
      moved: 0,
      status: 'RUNNING',
      failure: undefined,
    };
    source.set({ moveTasks: [task, ...source.moveTasks].slice(0, MOVE_TASK_RESULTS.max) });
    this.#run(source, task, now);
    return task.handle;
  }

  /** Resumes the tasks that were running when their queues were stored. */
  resume(now: number): void {
    for (const queues of this.#accounts.all()) {
      for (const queue of queues.withPrefix('')) {
        const task = queue.moveTasks.find(({ status }) => status === 'RUNNING');
        if (task) this.#run(queue, task, now);
      }
    }
  }

  /** @returns the number of messages that the task has moved */
  cancel(queues: Queues, handle: string): number {
    const source = sourceIn(queues, sourceOf(handle));
    const task = taskOf(source, handle);
    if (task?.status !== 'RUNNING') {
      throw new SqsError('ResourceNotFoundException', 'Task does not exist.');
    }
    this.#stop(source);
    change(source, { ...task, status: 'CANCELLED' });
    return task.moved;
  }

  /** The latest tasks of a queue, as the API reports them. */
  list(queues: Queues, sourceArn: string, count: number): Readonly<Record<string, unknown>>[] {
    const source = sourceIn(queues, sourceArn);
    return source.moveTasks.slice(0, count).map((task) => ({
      ...(task.status === 'RUNNING' ? { TaskHandle: task.handle } : {}),
      Status: task.status,
      SourceArn: source.arn,
      ...(task.destinationArn === undefined ? {} : { DestinationArn: task.destinationArn }),
      ...(task.perSecond === undefined ? {} : { MaxNumberOfMessagesPerSecond: task.perSecond }),
      ApproximateNumberOfMessagesMoved: task.moved,
      ApproximateNumberOfMessagesToMove: task.toMove,
      ...(task.failure === undefined ? {} : { FailureReason: task.failure }),
      StartedTimestamp: this.#time.shown(task.startedAt),
    }));
  }

  /** Stops all tasks. */
  close(): void {
    for (const source of this.#runs.keys()) this.#stop(source);
  }

  #run(source: Queue, { handle, moved }: MoveTask, now: number): void {
    const run: Run = { handle, since: now, movedBefore: moved, timer: undefined };
    this.#stop(source);
    this.#runs.set(source, run);
    this.#advanceLater(source, run);
  }

  #stop(source: Queue): void {
    clearTimeout(this.#runs.get(source)?.timer);
    this.#runs.delete(source);
  }

  #advanceLater(source: Queue, run: Run): void {
    run.timer = setTimeout(() => {
      const { now } = this.#time;
      const task = taskOf(source, run.handle);
      const after = task && this.#advanced(source, task, run, now);
      if (after && after !== task) change(source, after);
      if (after?.status === 'RUNNING') this.#advanceLater(source, run);
      else this.#stop(source);
      this.#onMoved(now);
    }, TICK_MS);
  }

  /** The task once all messages that are due by now have been moved. */
  #advanced(source: Queue, task: MoveTask, { since, movedBefore }: Run, now: number): MoveTask {
    const { perSecond = MOVE_RATE.max, destinationArn } = task;
    const due = movedBefore + Math.floor(((now - since) / 1000) * perSecond);
    let { moved } = task;
    while (moved < due) {
      if (source.counts(now).visible === 0 || this.#accounts.byArn(source.arn) !== source) {
        return { ...task, moved, status: 'COMPLETED' };
      }
      const hasMoved = source.moveNext(
        ({ deadLetterSourceArn }) =>
          this.#accounts.byArn(destinationArn ?? deadLetterSourceArn ?? ''),
        now,
      );
      if (!hasMoved) {
        const failure =
          destinationArn === undefined
            ? 'CouldNotDetermineMessageSource'
            : 'AWS.SimpleQueueService.NonExistentQueue';
        return { ...task, moved, status: 'FAILED', failure };
      }
      moved++;
    }
    return moved === task.moved ? task : { ...task, moved };
  }
}

function sourceIn(queues: Queues, arn: string): Queue {
  const queue = queues.byArn(arn);
  if (queue) return queue;
  throw new SqsError(
    'ResourceNotFoundException',
    "The resource that you specified for the SourceArn parameter doesn't exist.",
  );
}

function checkDestination(queues: Queues, source: Queue, arn: string): void {
  const destination = queues.byArn(arn);
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

function taskOf(source: Queue, handle: string): MoveTask | undefined {
  return source.moveTasks.find((task) => task.handle === handle);
}

function change(source: Queue, task: MoveTask): void {
  const moveTasks = source.moveTasks.map((one) => (one.handle === task.handle ? task : one));
  source.set({ moveTasks });
}

function refused(message: string): SqsError {
  return new SqsError('InvalidParameterValue', message);
}

/** Opaque to clients; it contains the ARN of the task's queue. */
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
    // Refused below, like a handle without a queue's ARN.
  }
  throw new SqsError('InvalidParameterValue', 'Value for parameter TaskHandle is invalid.');
}
