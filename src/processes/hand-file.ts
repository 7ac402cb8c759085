import {
  closeSync,
  mkdtempSync,
  openSync,
  readSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FanfoldError, messageOf } from '../errors.ts';
import type { Chunk } from '../pipeline/messages/chunk.ts';
import type { TaskMessage } from '../pipeline/working/chunk-execution.ts';
import type { Legacy } from './protocol.ts';
import { shortageOf } from './shortage.ts';

// What a worker process has in its hand, in a file that its supervisor reads when the process has
// died. To tell it by their channel, before each chunk and after it, would cost a small one more than
// to run it, and the supervisor has the most to do. The file has no name, and goes with them.
//
//   head     32-bit numbers, written at once: which message is worked on, how many hands were taken
//            and how many are done, whether a task is being set up, and of each slot how many bytes
//            it has
//   slots    a hand each, written before the head says so; two more are for the large message that
//            is worked on, and for what the process leaves when it dies

/** More than `pull` has: those that settle, and the one that is worked on. */
const HANDS = 16;
const LARGE = HANDS;
/** The last one, which may be as long as it likes. */
const LEGACY = HANDS + 1;

const BEGUN = 0;
const TAKEN = 1;
const DONE = 2;
const IN_SETUP = 3;
const SIZES = 4;
const HEAD_LENGTH = SIZES + HANDS + 2;

const FIRST_SLOT = 4_096;
/** Ten messages, each as long as JSON makes a text that it has to escape; files have holes. */
const SLOT_BYTES = 1_048_576;

/** A body that is longer is left out, since the queue has it: it is enough to give it back. */
const NOTED_LENGTH = 8_192;

/** Where the process finds the file: behind its channel. */
const FILE = 4;

/** A message in a process's hand, as noted. */
export interface Noted {
  receiptHandle: string;
  /** Its place among all that the process has taken. */
  place: number;
  body?: string;
  /** Of a large one that was begun. */
  task?: string;
}

/** What is noted of a process. */
export interface Hands {
  /** The place of the message that it began last; 0 for none. */
  begun: number;
  /** How many receives have brought it messages. */
  taken: number;
  /** How many of these it has nothing to do with any more. */
  done: number;
  /** Whether it is setting up the task of the message that it began last. */
  inSetup: boolean;
  messages: Noted[];
  /** What it left when it ended; undefined when it was killed, or ran out of memory. */
  legacy: Legacy | undefined;
}

/** The supervisor's end. */
export class HandFile {
  /** For the process to inherit. */
  readonly file: number;

  /** @throws FanfoldError when there is no place for it */
  constructor() {
    try {
      const folder = mkdtempSync(join(tmpdir(), 'fanfold-'));
      try {
        this.file = openSync(join(folder, 'hand'), 'w+');
        unlinkSync(join(folder, 'hand'));
      } finally {
        rmdirSync(folder);
      }
    } catch (thrown) {
      const cause = thrown as NodeJS.ErrnoException;
      throw (
        shortageOf(cause) ??
        new FanfoldError(
          'RunFailed',
          `Worker processes need a small file in ${tmpdir()}, which can't be made there: ${messageOf(cause)}. ${remedyOf(cause)}`,
          { cause },
        )
      );
    }
  }

  get isEmpty(): boolean {
    return this.#head()
      .subarray(SIZES, SIZES + HANDS)
      .every((size) => size === 0);
  }

  read(): Hands {
    const head = this.#head();
    const slots = Array.from({ length: HANDS }, (_, slot) => this.#slot<Noted[]>(head, slot));
    const messages = slots.flatMap((slot) => slot ?? []);
    for (const large of this.#slot<Noted[]>(head, LARGE) ?? []) {
      const one = messages.find(({ place }) => place === large.place);
      if (one) Object.assign(one, large);
    }
    const [begun = 0, taken = 0, done = 0] = [head[BEGUN], head[TAKEN], head[DONE]];
    const legacy = this.#slot<Legacy>(head, LEGACY);
    return { begun, taken, done, inSetup: head[IN_SETUP] === 1, messages, legacy };
  }

  close(): void {
    closeSync(this.file);
  }

  #head(): Uint32Array {
    const head = new Uint32Array(HEAD_LENGTH);
    readSync(this.file, head, 0, head.byteLength, 0);
    return head;
  }

  #slot<Content>(head: Uint32Array, slot: number): Content | undefined {
    const bytes = Buffer.alloc(head[SIZES + slot] ?? 0);
    readSync(this.file, bytes, 0, bytes.length, FIRST_SLOT + slot * SLOT_BYTES);
    try {
      return bytes.length === 0 ? undefined : (JSON.parse(bytes.toString()) as Content);
    } catch {
      // The process lives, and has written meanwhile.
      return undefined;
    }
  }
}

function remedyOf({ code }: NodeJS.ErrnoException): string {
  if (code === 'ENOSPC') return 'Make room there, or set TMPDIR to a folder that has some.';
  const named = process.env.TMPDIR === undefined ? '' : ', or unset it';
  if (code !== 'ENOENT') return `Set TMPDIR to a folder that can be written to${named}.`;
  return `Make that folder, or set TMPDIR to one that exists${named}.`;
}

/** The process's end. */
export class HandNotes {
  readonly #head = new Uint32Array(HEAD_LENGTH);
  readonly #places = new WeakMap<TaskMessage, number>();
  /** Slots that are in use, by a message of their hand. */
  readonly #slots = new Map<TaskMessage, number>();
  /** Messages that only have to be deleted. */
  readonly #settled = new Set<TaskMessage>();
  /** The large message that is worked on. */
  #large: (Noted & { body: string }) | undefined;
  #place = 0;
  #isFull = false;

  take(messages: readonly TaskMessage[]): void {
    const noted = messages.map((message): Noted => {
      this.#places.set(message, ++this.#place);
      const { receiptHandle, body } = message;
      const known = { receiptHandle, place: this.#place };
      return body.length > NOTED_LENGTH ? known : { ...known, body };
    });
    const [first] = messages;
    const slot = this.#head.subarray(SIZES, SIZES + HANDS).indexOf(0);
    if (first === undefined || slot < 0) throw new Error(`A worker has ${HANDS} hands at most.`);
    this.#slots.set(first, slot);
    this.#fill(slot, noted);
    this.#add(TAKEN, 1);
    this.#write();
  }

  begin(message: TaskMessage, { task, items }: Chunk): void {
    const place = this.#places.get(message) ?? 0;
    const { receiptHandle, body } = message;
    this.#large = undefined;
    if (body.length > NOTED_LENGTH) {
      const known = { receiptHandle, place, task };
      this.#large = { ...known, body };
      // One that has several items is as well given back, and then cut.
      this.#noteLarge(items.length > 1 ? known : this.#large);
    }
    this.#head[BEGUN] = place;
    this.#write();
  }

  /** Notes that a task is being set up, or no more. Its whole chunk has to do with that. */
  setsUp(isUnderWay: boolean): void {
    if (isUnderWay && this.#large) this.#noteLarge(this.#large);
    this.#head[IN_SETUP] = Number(isUnderWay);
    this.#write();
  }

  /** Keeps in mind, for its last words, that a message only has to be deleted. */
  settled(message: TaskMessage): void {
    this.#settled.add(message);
  }

  done(messages: readonly TaskMessage[]): void {
    for (const message of messages) this.#settled.delete(message);
    const [first] = messages;
    const slot = first && this.#slots.get(first);
    if (slot === undefined) return;
    this.#slots.delete(first as TaskMessage);
    this.#head[SIZES + slot] = 0;
    this.#add(DONE, 1);
    this.#write();
  }

  /** Notes what the process leaves: its last act, which takes no event loop. */
  leave(legacy: Omit<Legacy, 'settled'>): void {
    const settled = Array.from(this.#settled, ({ receiptHandle }) => receiptHandle);
    this.#fill(LEGACY, { ...legacy, settled });
    this.#write();
  }

  /** Whether there is a message in the process's hand. */
  get isEmpty(): boolean {
    return this.#slots.size === 0;
  }

  #noteLarge(noted: Noted): void {
    this.#head[SIZES + LARGE] = 0;
    this.#write();
    this.#fill(LARGE, [noted]);
  }

  #add(at: number, more: number): void {
    this.#head[at] = (this.#head[at] ?? 0) + more;
  }

  #fill(slot: number, content: readonly Noted[] | Legacy): void {
    const bytes = Buffer.from(JSON.stringify(content));
    this.#put(bytes, FIRST_SLOT + slot * SLOT_BYTES);
    // A process that is killed may have written a part: the head does not know of it then.
    this.#head[SIZES + slot] = bytes.length;
  }

  #write(): void {
    this.#put(new Uint8Array(this.#head.buffer), 0);
  }

  /**
   * On a full disk nothing is noted, and what was is struck out: what the process has in hand when it
   * dies is redelivered later.
   */
  #put(bytes: Uint8Array, position: number): void {
    if (this.#isFull) return;
    try {
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(FILE, bytes, at, bytes.length - at, position + at);
      }
    } catch {
      this.#isFull = true;
      this.#strikeOut();
    }
  }

  /** The head has its place on the disk, so that writing it needs no further one. */
  #strikeOut(): void {
    try {
      writeSync(FILE, new Uint8Array(this.#head.byteLength), 0, this.#head.byteLength, 0);
    } catch {
      // Not even that: what was noted is taken for what the process has.
    }
  }
}
