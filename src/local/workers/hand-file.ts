import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FanfoldError, messageOf } from '../../errors.ts';
import type { Chunk } from '../../pipeline/messages/chunk.ts';
import type { TaskMessage } from '../../pipeline/working/handling.ts';

// What a worker process has in its hand, in a file that its supervisor reads when the process has
// died. To tell it by their channel, before each chunk and after it, would cost a small one more than
// to run it, and the supervisor has the most to do. The file has no name, and goes with them.
//
//   head     32-bit numbers, written at once: which message is worked on, how many hands were taken,
//            and of each slot how many bytes it has
//   slots    a hand each, written before the head says so; the last one is for the large message that
//            is worked on

/** More than `pull` has: those that settle, and the one that is worked on. */
const HANDS = 16;
const LARGE = HANDS;

const BEGUN = 0;
const TAKEN = 1;
const SIZES = 2;
const HEAD_LENGTH = SIZES + HANDS + 1;

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
  messages: Noted[];
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
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    } catch (cause) {
      throw new FanfoldError(
        'RunFailed',
        `Worker processes need a small file in ${tmpdir()}, which can't be made there: ${messageOf(cause)}. TMPDIR names another folder.`,
        { cause },
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
    const slots = Array.from({ length: HANDS }, (_, slot) => this.#slot(head, slot));
    const messages = slots.flat();
    for (const large of this.#slot(head, LARGE)) {
      const one = messages.find(({ place }) => place === large.place);
      if (one) Object.assign(one, large);
    }
    return { begun: head[BEGUN] ?? 0, taken: head[TAKEN] ?? 0, messages };
  }

  close(): void {
    closeSync(this.file);
  }

  #head(): Uint32Array {
    const head = new Uint32Array(HEAD_LENGTH);
    readSync(this.file, head, 0, head.byteLength, 0);
    return head;
  }

  #slot(head: Uint32Array, slot: number): Noted[] {
    const bytes = Buffer.alloc(head[SIZES + slot] ?? 0);
    readSync(this.file, bytes, 0, bytes.length, FIRST_SLOT + slot * SLOT_BYTES);
    try {
      return bytes.length === 0 ? [] : (JSON.parse(bytes.toString()) as Noted[]);
    } catch {
      // The process lives, and has written meanwhile.
      return [];
    }
  }
}

/** The process's end. */
export class HandNotes {
  readonly #head = new Uint32Array(HEAD_LENGTH);
  readonly #places = new WeakMap<TaskMessage, number>();
  /** Slots that are in use, by a message of their hand. */
  readonly #slots = new Map<TaskMessage, number>();
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
    if (body.length > NOTED_LENGTH) {
      // One that has several items is as well given back, and then cut.
      const known = { receiptHandle, place, task };
      this.#head[SIZES + LARGE] = 0;
      this.#write();
      this.#fill(LARGE, [items.length > 1 ? known : { ...known, body }]);
    }
    this.#head[BEGUN] = place;
    this.#write();
  }

  done([first]: readonly TaskMessage[]): void {
    const slot = first && this.#slots.get(first);
    if (slot === undefined) return;
    this.#slots.delete(first as TaskMessage);
    this.#head[SIZES + slot] = 0;
    this.#write();
  }

  #add(at: number, more: number): void {
    this.#head[at] = (this.#head[at] ?? 0) + more;
  }

  #fill(slot: number, noted: readonly Noted[]): void {
    const bytes = Buffer.from(JSON.stringify(noted));
    this.#put(bytes, FIRST_SLOT + slot * SLOT_BYTES);
    // A process that is killed may have written a part: the head does not know of it then.
    this.#head[SIZES + slot] = bytes.length;
  }

  #write(): void {
    this.#put(new Uint8Array(this.#head.buffer), 0);
  }

  /** On a full disk nothing is noted: what the process has when it dies comes back by itself, later. */
  #put(bytes: Uint8Array, position: number): void {
    if (this.#isFull) return;
    try {
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(FILE, bytes, at, bytes.length - at, position + at);
      }
    } catch {
      this.#isFull = true;
    }
  }
}
