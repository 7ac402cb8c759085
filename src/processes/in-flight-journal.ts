import { fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import type { Chunk } from '../pipeline/messages/chunk.ts';
import type { LastWords } from '../pipeline/working/held.ts';
import type { Unsent } from '../pipeline/working/report.ts';
import type { TaskMessage } from '../pipeline/working/task-message.ts';
import type { Stray } from './stray.ts';

// A worker process notes the messages that it holds in a file, which its supervisor reads after the
// process has died. Sending notes by their channel, before and after each chunk, would cost more
// than running a small chunk, and would load the supervisor, which is the bottleneck.
//
// The file has a line for each entry, with the entry's number at both ends. When it is long, an
// entry that stands for all is written to its beginning, and the next ones follow: lines with lower
// numbers are old. They are not cut off, since writing to the same pages again takes less time. A
// line that a killed process wrote in part has different numbers, or is no JSON.

/** Numbers of receives that returned messages: from the task queue, and from the queue of lanes. */
export type Receives = readonly [tasks: number, lanes: number];

/** A message that a process holds. */
export interface InHand {
  receiptHandle: string;
  /** Whether it was received from the queue of lanes, and not from the task queue. */
  isLane?: boolean;
  /**
   * One message is `running` at a time, or `inSetup` while its task is set up; after that it has
   * `ran`. When all its results are with SQS, it is `settled`, and only has to be deleted: of a
   * process that was killed, this is not known.
   */
  state: 'waiting' | 'inSetup' | 'running' | 'ran' | 'settled';
  /** Name of the task of a message that was begun. */
  task?: string;
  /** Body of a message that was begun, unless it is long and has several items. */
  body?: string;
  /** State of the chunk that the process noted on exit, if it could. */
  lastWords?: LastWords;
}

/** Notes of a process on exit. */
export interface ExitNotes {
  /** Its chunks that were begun and not settled. */
  chunks: Required<Pick<InHand, 'receiptHandle' | 'body' | 'lastWords'>>[];
  /** Results that it could not send. */
  unsent: Unsent[];
  /** The uncaught error that it dies of, if any. */
  stray: Stray | undefined;
}

/** The work of a process, as far as it could note it. */
export interface InFlight extends Partial<Omit<ExitNotes, 'chunks'>> {
  /** Numbers of receives that returned messages. */
  receives: Receives;
  /** Whether it has finished a message. */
  progressed: boolean;
  /** Receipt handle of the message that it began last. */
  begun: string;
  /** By receipt handle. */
  inHand: Record<string, InHand>;
}

type Entry =
  | [type: 'received', receiptHandles: string[], isLane: boolean]
  | [type: 'begun', receiptHandle: string, task: string, body: string | null]
  | [type: 'setup', isUnderWay: boolean, body: string]
  | [type: 'finished', receiptHandles: string[]]
  /** Stands for all entries before it. */
  | [type: 'all', InFlight];

/** A line of the file. */
type Line = [number: number, entry: Entry, sameNumber: number];

/** Bytes from which the file is begun anew. */
const MAX_BYTES = 1_048_576;

/** The same, in multiples of the entry that it then begins with: that may be long. */
const MAX_TIMES = 4;

/** Longer bodies of several items are not noted: a later worker receives and cuts them. */
const NOTED_LENGTH = 8_192;

/** File descriptor of the journal in the worker process: the one after its channel. */
const FILE = 4;

/** Reads the journal of a worker process, which may still be alive. */
export function readJournal(file: number): InFlight {
  const bytes = Buffer.alloc(fstatSync(file).size);
  const length = readSync(file, bytes, 0, bytes.length, 0);
  const inFlight = nothing();
  let last = 0;
  for (const line of bytes.toString('utf8', 0, length).split('\n')) {
    try {
      const [number, entry, sameNumber]: Line = JSON.parse(line);
      if (number <= last || number !== sameNumber) continue;
      apply(entry, inFlight);
      last = number;
    } catch {
      // It was written in part, or overwritten in part.
    }
  }
  return inFlight;
}

/** Whether a message is the one that its process works on. */
export function isCurrent({ state }: InHand): boolean {
  return state === 'running' || state === 'inSetup';
}

function nothing(): InFlight {
  return { receives: [0, 0], progressed: false, begun: '', inHand: {} };
}

function apply(entry: Entry, inFlight: InFlight): void {
  const { inHand } = inFlight;
  const current = inHand[inFlight.begun];
  switch (entry[0]) {
    case 'received': {
      const [, receiptHandles, isLane] = entry;
      const [tasks, lanes] = inFlight.receives;
      inFlight.receives = isLane ? [tasks, lanes + 1] : [tasks + 1, lanes];
      for (const receiptHandle of receiptHandles) {
        inHand[receiptHandle] = { receiptHandle, isLane, state: 'waiting' };
      }
      break;
    }
    case 'begun': {
      const [, receiptHandle, task, body] = entry;
      if (current && isCurrent(current)) current.state = 'ran';
      const known = body === null ? {} : { body };
      const { isLane } = inHand[receiptHandle] ?? {};
      const held = { receiptHandle, ...(isLane ? { isLane } : {}) };
      inHand[receiptHandle] = { ...held, state: 'running', task, ...known };
      inFlight.begun = receiptHandle;
      break;
    }
    case 'setup': {
      const [, isUnderWay, body] = entry;
      if (current) Object.assign(current, { state: isUnderWay ? 'inSetup' : 'running', body });
      break;
    }
    case 'finished':
      for (const receiptHandle of entry[1]) delete inHand[receiptHandle];
      inFlight.progressed = true;
      break;
    case 'all':
      Object.assign(inFlight, entry[1]);
  }
}

/** The journal of this worker process. */
export class InFlightJournal {
  readonly #file: number;
  readonly #inFlight = nothing();
  #current: TaskMessage | undefined;
  /** Number of the last entry. */
  #number = 0;
  /** Position of the next line. */
  #position = 0;
  #maxPosition = MAX_BYTES;
  /** Whether the file lacks entries, because the disk was full. */
  #hasGap = false;

  constructor(file = FILE) {
    this.#file = file;
  }

  get receives(): Receives {
    return this.#inFlight.receives;
  }

  /** Whether the process holds no message. */
  get isEmpty(): boolean {
    return Object.keys(this.#inFlight.inHand).length === 0;
  }

  received(messages: readonly TaskMessage[]): void {
    const isLane = messages.some(({ group }) => group !== undefined);
    this.#note(['received', messages.map(({ receiptHandle }) => receiptHandle), isLane]);
  }

  begun(message: TaskMessage, { task, items }: Pick<Chunk, 'task' | 'items'>): void {
    this.#current = message;
    const { receiptHandle, body } = message;
    const isNoted = body.length <= NOTED_LENGTH || items.length === 1;
    this.#note(['begun', receiptHandle, task, isNoted ? body : null]);
  }

  /** Notes whether a task is being set up. A failing setup concerns the whole chunk. */
  setup(isUnderWay: boolean): void {
    if (this.#current) this.#note(['setup', isUnderWay, this.#current.body]);
  }

  /** Remembers, for `exiting`, that a message only has to be deleted. */
  settled({ receiptHandle }: TaskMessage): void {
    const settled = this.#inFlight.inHand[receiptHandle];
    if (settled) settled.state = 'settled';
  }

  finished(messages: readonly TaskMessage[]): void {
    this.#note(['finished', messages.map(({ receiptHandle }) => receiptHandle)]);
  }

  /** Notes all that is known on exit. Synchronous, since nothing else runs then. */
  exiting({ chunks, unsent, stray }: ExitNotes): void {
    for (const chunk of chunks) {
      Object.assign(this.#inFlight.inHand[chunk.receiptHandle] ?? {}, chunk);
    }
    this.#note(['all', Object.assign(this.#inFlight, { unsent, stray })]);
  }

  /**
   * Applies an entry, and writes it. When the disk is full, the earlier entries are cleared, since
   * they would mislead without the later ones: SQS redelivers the messages of a dead process when
   * its claim ends. Notes resume once there is room for an entry that stands for all.
   */
  #note(entry: Entry): void {
    apply(entry, this.#inFlight);
    try {
      if (this.#hasGap || this.#position > this.#maxPosition) this.#beginAnew();
      else this.#position += this.#write(this.#line(entry), this.#position);
    } catch {
      this.#hasGap = true;
      this.#clear();
    }
  }

  /** Appends the entry first: the process may be killed while it overwrites earlier ones. */
  #beginAnew(): void {
    const all = this.#line(['all', this.#inFlight]);
    if (!this.#hasGap) this.#write(all, this.#position);
    this.#position = this.#write(all, 0);
    this.#maxPosition = MAX_BYTES + MAX_TIMES * this.#position;
    this.#hasGap = false;
  }

  #line(entry: Entry): string {
    const number = ++this.#number;
    return `${JSON.stringify([number, entry, number] satisfies Line)}\n`;
  }

  #write(line: string, position: number): number {
    const length = Buffer.byteLength(line);
    if (writeSync(this.#file, line, position) < length) throw new Error('The disk is full.');
    return length;
  }

  #clear(): void {
    try {
      ftruncateSync(this.#file, 0);
    } catch {
      // If even that fails, the supervisor works with the last notes.
    }
  }
}
