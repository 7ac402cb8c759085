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

// The messages that a worker process holds, in a file that its supervisor reads after the process
// has died. A "hand" is the messages of one receive. Sending notes by their channel, before and
// after each chunk, would cost more than running a small chunk, and would load the supervisor,
// which is the bottleneck. The file is unlinked, so it disappears with both processes.
//
//   head     32-bit numbers, written in one call: the place of the current message, the number of
//            hands taken and done, whether a task is being set up, and the length of each slot in
//            bytes
//   slots    one hand each, written before the head refers to it; two more slots hold the current
//            message if it is large, and the legacy that the process leaves when it dies

/** More hands than `pull` ever holds: those being settled, and the current one. */
const HANDS = 16;
const LARGE = HANDS;
/** The last slot, which has no size limit. */
const LEGACY = HANDS + 1;

const BEGUN = 0;
const TAKEN = 1;
const DONE = 2;
const IN_SETUP = 3;
const SIZES = 4;
const HEAD_LENGTH = SIZES + HANDS + 2;

const FIRST_SLOT = 4_096;
/** Room for ten messages whose text JSON must escape. The file is sparse, so the size is free. */
const SLOT_BYTES = 1_048_576;

/** Longer bodies are not noted: the queue has them, so releasing the message is enough. */
const NOTED_LENGTH = 8_192;

/** File descriptor of the file in the worker process: the one after its channel. */
const FILE = 4;

/** The note of a message that a process holds. */
export interface Noted {
  receiptHandle: string;
  /** Ordinal among all messages that the process has received, from 1. */
  place: number;
  body?: string;
  /** Name of the task; only for a large message that was begun. */
  task?: string;
}

/** The notes of a process. */
export interface Hands {
  /** Place of the message that it began last; 0 for none. */
  begun: number;
  /** Number of receives that returned messages. */
  taken: number;
  /** Number of those receives whose messages are all finished. */
  done: number;
  /** Whether it is setting up the task of the message that it began last. */
  inSetup: boolean;
  messages: Noted[];
  /** What it left on exit; undefined if it was killed or ran out of memory. */
  legacy: Legacy | undefined;
}

/** The supervisor's side of the file: creates and reads it. */
export class HandFile {
  /** File descriptor, which the worker process inherits. */
  readonly file: number;

  /** @throws FanfoldError when the file can't be created */
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
          `Worker processes need a small file in ${tmpdir()}, which cannot be created: ${messageOf(cause)}. ${remedyOf(cause)}`,
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
      // The process is alive and has written in the meantime.
      return undefined;
    }
  }
}

function remedyOf({ code }: NodeJS.ErrnoException): string {
  if (code === 'ENOSPC') return 'Free disk space there, or set TMPDIR to a folder with free space.';
  const named = process.env.TMPDIR === undefined ? '' : ', or unset it';
  if (code !== 'ENOENT') return `Set TMPDIR to a writable folder${named}.`;
  return `Create that folder, or set TMPDIR to one that exists${named}.`;
}

/** The worker process's side of the file: writes the notes. */
export class HandNotes {
  readonly #head = new Uint32Array(HEAD_LENGTH);
  readonly #places = new WeakMap<TaskMessage, number>();
  /** Slots in use, by the first message of their hand. */
  readonly #slots = new Map<TaskMessage, number>();
  /** Messages that only have to be deleted. */
  readonly #settled = new Set<TaskMessage>();
  /** The current message, if it is large. */
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
    if (first === undefined || slot < 0) throw new Error(`A worker has at most ${HANDS} hands.`);
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
      // A message with several items can be released as it is: a later worker cuts it.
      this.#noteLarge(items.length > 1 ? known : this.#large);
    }
    this.#head[BEGUN] = place;
    this.#write();
  }

  /** Notes whether a task is being set up. A failing setup concerns the whole chunk. */
  setsUp(isUnderWay: boolean): void {
    if (isUnderWay && this.#large) this.#noteLarge(this.#large);
    this.#head[IN_SETUP] = Number(isUnderWay);
    this.#write();
  }

  /** Remembers, for the legacy, that a message only has to be deleted. */
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

  /** Notes the legacy. Synchronous, since it runs while the process exits. */
  leave(legacy: Omit<Legacy, 'settled'>): void {
    const settled = Array.from(this.#settled, ({ receiptHandle }) => receiptHandle);
    this.#fill(LEGACY, { ...legacy, settled });
    this.#write();
  }

  /** Whether the process holds no message. */
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
    // If the process is killed in the middle of a write, the head does not refer to it yet.
    this.#head[SIZES + slot] = bytes.length;
  }

  #write(): void {
    this.#put(new Uint8Array(this.#head.buffer), 0);
  }

  /**
   * On a full disk, notes stop and the earlier ones are cleared. SQS then redelivers the messages
   * of a dead process when its claim ends.
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

  /** Overwrites the head, which needs no further disk space. */
  #strikeOut(): void {
    try {
      writeSync(FILE, new Uint8Array(this.#head.byteLength), 0, this.#head.byteLength, 0);
    } catch {
      // If even that fails, the supervisor works with the last notes.
    }
  }
}
