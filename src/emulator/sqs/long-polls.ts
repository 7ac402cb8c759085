import { Heap, type Ranked } from './engine/heap.ts';
import { type Linked, LinkedList } from './engine/linked-list.ts';
import type { Received, ReceiveRequest } from './engine/message.ts';
import type { Queue } from './engine/queue.ts';
import { queueDoesNotExist } from './errors.ts';
import type { ServiceTime } from './service-time.ts';

/** A receive that waits for a message until its deadline. */
class Waiting implements Linked<Waiting>, Ranked {
  readonly request: ReceiveRequest;
  readonly resolve: (received: Received[]) => void;
  readonly reject: (error: unknown) => void;
  /** When the wait ends. */
  rank: number;
  readonly number: number;
  place = -1;
  previous: Waiting | undefined = undefined;
  next: Waiting | undefined = undefined;

  constructor(
    request: ReceiveRequest,
    deadline: number,
    number: number,
    { resolve, reject }: Omit<PromiseWithResolvers<Received[]>, 'promise'>,
  ) {
    this.request = request;
    this.rank = deadline;
    this.number = number;
    this.resolve = resolve;
    this.reject = reject;
  }
}

/** The waiting receives of one queue. */
interface Line {
  /** First come, first served. */
  readonly inOrder: LinkedList<Waiting>;
  readonly byDeadline: Heap<Waiting>;
  timer: ReturnType<typeof setTimeout> | undefined;
  timerAt: number;
}

/**
 * Receives that wait. Nothing polls: a receive is served when its queue changes (`serveChanged`,
 * after each action), or by its queue's one timer. The timer is set only while a receive waits, for
 * the next moment that matters: the end of a delay, of a visibility timeout or of a wait. A message
 * goes to the receive that has waited longest, which then ends; the others keep waiting.
 */
export class LongPolls {
  readonly #lines = new Map<Queue, Line>();
  readonly #changed: Set<Queue>;
  readonly #time: ServiceTime;
  #count = 0;
  readonly #isBackground: boolean;
  #closed = false;

  /**
   * @param changed the queues to serve next; changes add their queue to it
   * @param isBackground whether the process may exit while receives wait
   */
  constructor(changed: Set<Queue>, time: ServiceTime, isBackground: boolean) {
    this.#changed = changed;
    this.#time = time;
    this.#isBackground = isBackground;
  }

  /** Waits for messages; resolves with none at the deadline, or when the caller disconnects. */
  wait(
    queue: Queue,
    request: ReceiveRequest,
    deadline: number,
    caller: AbortSignal,
  ): Promise<Received[]> {
    if (this.#closed || caller.aborted) return Promise.resolve([]);
    const { promise, ...settle } = Promise.withResolvers<Received[]>();
    const waiting = new Waiting(request, deadline, ++this.#count, settle);
    const line = this.#lineOf(queue);
    line.inOrder.append(waiting);
    line.byDeadline.add(waiting);
    this.#setTimer(queue, line, this.#time.now);
    const leave = () => this.#leave(queue, line, waiting, []);
    caller.addEventListener('abort', leave, { once: true });
    return promise.finally(() => caller.removeEventListener('abort', leave));
  }

  /** Gives the messages of every changed queue to the receives that wait for them. */
  serveChanged(now: number): void {
    // Serving a queue may add its dead-letter queue to the set.
    for (const queue of this.#changed) {
      this.#changed.delete(queue);
      const line = this.#lines.get(queue);
      if (line) this.#serve(queue, line, now);
    }
  }

  /** Ends the waits on a queue that was deleted. */
  endDeleted(queue: Queue): void {
    const line = this.#lines.get(queue);
    if (line === undefined) return;
    for (let waiting = line.inOrder.first; waiting; waiting = line.inOrder.first) {
      waiting.reject(queueDoesNotExist());
      this.#leave(queue, line, waiting, []);
    }
  }

  /** Ends every wait with an empty answer, and every later one at once. */
  close(): void {
    this.#closed = true;
    for (const [queue, line] of this.#lines) {
      for (let waiting = line.inOrder.first; waiting; waiting = line.inOrder.first) {
        this.#leave(queue, line, waiting, []);
      }
    }
  }

  #serve(queue: Queue, line: Line, now: number): void {
    for (let waiting = line.inOrder.first; waiting; waiting = line.inOrder.first) {
      const received = queue.receive(waiting.request, now);
      if (received.length === 0) break;
      this.#leave(queue, line, waiting, received);
    }
    for (let late = line.byDeadline.first; late; late = line.byDeadline.first) {
      if (late.rank > now) break;
      this.#leave(queue, line, late, []);
    }
    if (line.inOrder.length > 0) this.#setTimer(queue, line, now);
  }

  #leave(queue: Queue, line: Line, waiting: Waiting, received: Received[]): void {
    line.inOrder.remove(waiting);
    line.byDeadline.remove(waiting);
    waiting.resolve(received);
    if (line.inOrder.length > 0) return;
    clearTimeout(line.timer);
    this.#lines.delete(queue);
  }

  #lineOf(queue: Queue): Line {
    const known = this.#lines.get(queue);
    if (known) return known;
    const line: Line = {
      inOrder: new LinkedList(),
      byDeadline: new Heap(),
      timer: undefined,
      timerAt: Number.POSITIVE_INFINITY,
    };
    this.#lines.set(queue, line);
    return line;
  }

  #setTimer(queue: Queue, line: Line, now: number): void {
    const waitEndsAt = line.byDeadline.first?.rank ?? Number.POSITIVE_INFINITY;
    const at = Math.min(waitEndsAt, queue.nextChangeAt);
    // A timer that fires too early does no harm: it finds nothing to do, and is set again.
    if (line.timer !== undefined && line.timerAt <= at) return;
    clearTimeout(line.timer);
    line.timerAt = at;
    line.timer = setTimeout(
      () => {
        line.timer = undefined;
        const firedAt = this.#time.now;
        this.#serve(queue, line, firedAt);
        this.serveChanged(firedAt);
        // `at` may be past: something may have fallen due since the receive found no message.
      },
      Math.max(0, at - now),
    );
    if (this.#isBackground) line.timer.unref();
  }
}
