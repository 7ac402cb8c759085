import type { ServiceRequest } from '../transport/index.ts';
import type { Accounts } from './engine/accounts.ts';
import type { Queue } from './engine/queue.ts';
import type { Queues } from './engine/queues.ts';
import type { Input } from './input.ts';
import type { LongPolls } from './long-polls.ts';
import type { MoveTasks } from './move-tasks.ts';
import type { ServiceTime } from './service-time.ts';

/** All that an action needs besides its own parameters. */
export interface Call {
  readonly input: Input;
  readonly action: string;
  /** The caller's. */
  readonly queues: Queues;
  readonly accounts: Accounts;
  readonly polls: LongPolls;
  readonly moves: MoveTasks;
  /** By `time`, when the call came. */
  readonly now: number;
  readonly time: ServiceTime;
  /** The URL of a queue, at the address that the caller used. */
  urlOf(queue: Queue): string;
  /** Its signal is aborted when the caller went away. */
  readonly request: Pick<ServiceRequest, 'headers' | 'signal'>;
}

/** What an action answers, in the shape of SQS's service model; undefined where it answers nothing. */
export type Output = Readonly<Record<string, unknown>> | undefined;

/** An answer with messages, which may come too late for its caller. */
export class ReceivedMessages {
  readonly output: Output;
  /** Makes the messages visible again, as if they had not been received; undefined where there are none. */
  readonly takeBack: (() => void) | undefined;

  constructor(messages: readonly object[], takeBack: () => void) {
    this.output = messages.length > 0 ? { Messages: messages } : {};
    this.takeBack = messages.length > 0 ? takeBack : undefined;
  }
}

export type Action = (call: Call) => Output | ReceivedMessages | Promise<ReceivedMessages>;
