import type { ServiceRequest } from '../transport/index.ts';
import type { Accounts } from './engine/accounts.ts';
import type { Queue } from './engine/queue.ts';
import type { Queues } from './engine/queues.ts';
import type { Input } from './input.ts';
import type { LongPolls } from './long-polls.ts';
import type { MoveTasks } from './move-tasks.ts';
import type { ServiceTime } from './service-time.ts';

/** The input of one call, and everything else that its action needs. */
export interface Call {
  readonly input: Input;
  readonly action: string;
  /** Of the caller's account and region. */
  readonly queues: Queues;
  readonly accounts: Accounts;
  readonly polls: LongPolls;
  readonly moves: MoveTasks;
  /** The moment of the call, by `time`. */
  readonly now: number;
  readonly time: ServiceTime;
  /** The URL of a queue, at the address that the caller used. */
  urlOf(queue: Queue): string;
  /** Its signal is aborted when the caller disconnects. */
  readonly request: Pick<ServiceRequest, 'headers' | 'signal'>;
}

/** An action's output, in the shape of SQS's service model; undefined if it has none. */
export type Output = Readonly<Record<string, unknown>> | undefined;

/** An answer with messages, to be taken back if it does not reach its caller. */
export class ReceivedMessages {
  readonly output: Output;
  /** Makes the messages visible again, as if they had not been received; undefined without any. */
  readonly takeBack: (() => void) | undefined;

  constructor(messages: readonly object[], takeBack: () => void) {
    this.output = messages.length > 0 ? { Messages: messages } : {};
    this.takeBack = messages.length > 0 ? takeBack : undefined;
  }
}

export type Action = (call: Call) => Output | ReceivedMessages | Promise<ReceivedMessages>;
