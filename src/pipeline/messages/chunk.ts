import { InputError } from '../../errors.ts';
import type { Json } from '../../task.ts';
import type { ResultsTo } from '../queue-urls.ts';
import type { Flow } from './flow.ts';
import { CHUNK_ITEMS } from './lane-chunks.ts';
import { MAX_PAYLOAD_BYTES, type Payload } from './payload.ts';
import type { Priority } from './priority.ts';

/** The version of result messages and notices. */
export const MESSAGE_VERSION = 1;

/**
 * The version of task messages. Version 1, which is still read, named its result queue by URL. A
 * worker moves a message of any other version to the dead letters.
 */
export const TASK_MESSAGE_VERSION = 2;

/** SQS's largest message, in bytes; attributes count, and Fanfold sends none. */
export const MAX_MESSAGE_BYTES = 1_048_576;

/** Bytes of a message that are reserved for its envelope, whose fields are all bounded. */
const ENVELOPE_BYTES = 2_048;

/** Largest input in a message, in bytes of its JSON text. A larger one travels in an object. */
export const MAX_INPUT_BYTES = MAX_MESSAGE_BYTES - ENVELOPE_BYTES;

/**
 * Length at which a chunk stops growing, in characters of its items, each of which takes at most
 * three bytes. The payload of a call is billed, and copied, by size, so larger messages save
 * nothing; smaller ones spread better.
 */
const CHUNK_LENGTH = 131_072;

/** Facts about its run that every chunk carries. */
export interface ChunkEnvelope {
  runId: string;
  task: string;
  /** 1 for the first. */
  attempt: number;
  /** Deadline after which workers drop the chunk, in milliseconds since 1970. */
  expiresAt: number;
  results: ResultsTo;
  /** Approximate number of workers of the run: the more, the longer each gathers its results. */
  workers?: number | undefined;
  /** Set if workers have sent the chunk on without finishing any of its items. */
  stalled?: Stall | undefined;
  /**
   * Time before which its items must not start, in milliseconds since 1970, if that is further away
   * than SQS's longest delay.
   */
  notBefore?: number | undefined;
  /** Whether items that take long at the run's end are run a second time. @default false */
  hedge?: boolean | undefined;
  /** The run's bounds when the chunk was sent. @default none */
  flow?: Flow | undefined;
  /** @default normal */
  priority?: Priority | undefined;
  /** Whether a worker sent the chunk, some of whose items may have been started. @default false */
  begun?: boolean | undefined;
  /** Number of the chunk in a run with bounds, as its seed cut it: lanes take them in turns. */
  turn?: number | undefined;
  /** Whether nothing may have started in the chunk's lane before it. @default false */
  opens?: boolean | undefined;
}

/** Reason for sending a chunk on as it was, with the history that no worker alone can know. */
export interface Stall {
  /**
   * `run`: the run's queue seemed to be gone; `task`: the worker's module has no such task;
   * `worker`: the worker was stopped, or the chunk was cut.
   */
  cause: 'run' | 'task' | 'worker';
  /** Time of the first of these hops, in milliseconds since 1970. */
  since: number;
  /** Time of the last of them. */
  last: number;
  /** Number of hops in a row for the same cause. */
  hops: number;
}

/** A task message, as a worker of its deployment reads it. */
export interface Chunk extends ChunkEnvelope {
  /** The queue that `results` refers to, derived from the worker's own deployment. */
  resultQueueUrl: string;
  items: ReceivedItem[];
}

/** An input in a chunk, or on its way into one. */
export interface ChunkItem {
  index: number;
  /**
   * The input as JSON, fit for a message: made by `messageText`, or received in one. Of an input in an
   * object, the text that stands for it: made by `payloadItem`.
   */
  text: string;
}

/** An input in a chunk that was received. */
export interface ReceivedItem extends ChunkItem {
  /** The input itself, for its one attempt here: a task may change it. Null if it is in an object. */
  value: Json;
  /** The object that holds the input. @default the item has it */
  payload?: Payload | undefined;
}

const REFUSED = /[\uFFFE\uFFFF]/g;

/**
 * JSON text that SQS accepts. SQS takes the characters of XML 1.0 only. Of the others, JSON text
 * has U+FFFE and U+FFFF alone (`JSON.stringify` escapes control characters and lone surrogates),
 * and only inside strings, where an escape means the same.
 */
export function messageText(json: string): string {
  if (json.search(REFUSED) === -1) return json;
  return json.replace(REFUSED, (character) => (character === '\uFFFE' ? '\\ufffe' : '\\uffff'));
}

/** What stands around the items in a task message, each of which has a line of its own. */
export const ITEMS_BEGIN = ',"items":[\n';
export const ITEMS_END = '\n]}';

/** The body of a task message: a reader can split it into its items without parsing them. */
export function chunkBody(envelope: ChunkEnvelope, items: readonly ChunkItem[]): string {
  const { runId, task, attempt, expiresAt, results, workers } = envelope;
  const { stalled, notBefore, hedge, flow, priority, turn, opens } = envelope;
  const begun = envelope.begun || undefined;
  const v = TASK_MESSAGE_VERSION;
  const of = { v, runId, task, attempt, expiresAt, results, workers };
  const facts = { ...of, stalled, notBefore, hedge, flow, priority, turn, opens, begun };
  const head = JSON.stringify(facts);
  let list = '';
  for (const { index, text } of items) list += `${list === '' ? '' : ',\n'}[${index},${text}]`;
  return head.slice(0, -1) + ITEMS_BEGIN + list + ITEMS_END;
}

/** Whether a task message is of a run with bounds, as far as one can tell without reading it. */
export function hasFlow(body: string): boolean {
  return body.slice(0, body.indexOf(ITEMS_BEGIN)).includes('"flow":{');
}

/** Chunks of a run for each worker: the last one to end is late by half a chunk, on average. */
export const CHUNKS_EACH = 32;

/** Inputs in a chunk for each that a task runs at once: a chunk ends with its slowest. */
const TIMES_CONCURRENCY = 4;

/**
 * Number of inputs in a chunk: few enough that the workers share evenly, and at most a thousand.
 * Ten inputs on two workers get a chunk each, unless a worker runs several at once.
 *
 * @param concurrency inputs that a worker runs at once
 */
export function chunkItemsFor(inputs: number, workers: number, concurrency = 1): number {
  const even = Math.min(CHUNK_ITEMS, Math.floor(inputs / (workers * CHUNKS_EACH)));
  const atOnce = concurrency === 1 ? 1 : concurrency * TIMES_CONCURRENCY;
  return Math.max(1, even, Math.min(CHUNK_ITEMS, atOnce, Math.ceil(inputs / workers)));
}

/**
 * Cuts items into chunks of at most `maxItems`, and of about `CHUNK_LENGTH`. A larger item travels
 * alone, up to `MAX_INPUT_BYTES`. The cuts depend on the items alone, so that seeding the same
 * inputs again makes the same chunks.
 *
 * @throws InputError for an item that no message can hold
 */
export function cut(items: readonly ChunkItem[], maxItems: number): ChunkItem[][] {
  const chunks: ChunkItem[][] = [];
  let chunk: ChunkItem[] = [];
  let length = 0;
  for (const item of items) {
    checkSize(item);
    const size = item.text.length + AROUND_ITEM;
    if (chunk.length >= maxItems || (chunk.length > 0 && length + size > CHUNK_LENGTH)) {
      chunks.push(chunk);
      chunk = [];
      length = 0;
    }
    chunk.push(item);
    length += size;
  }
  if (chunk.length > 0) chunks.push(chunk);
  return chunks;
}

/** Most characters around an item in a message: its index, `[,],` and a line feed. */
const AROUND_ITEM = String(Number.MAX_SAFE_INTEGER).length + 5;

/** A character (a UTF-16 unit) takes at most three bytes, so most items need no exact count. */
function checkSize({ index, text }: ChunkItem): void {
  if ((text.length + AROUND_ITEM) * 3 <= MAX_INPUT_BYTES) return;
  const bytes = Buffer.byteLength(text) + String(index).length + 4;
  if (bytes > MAX_INPUT_BYTES) throw inputTooLarge(index, bytes, MAX_INPUT_BYTES);
}

/** The error for an input that is over the limit. @param most the limit, in bytes */
export function inputTooLarge(index: number, bytes: number, most = MAX_PAYLOAD_BYTES): InputError {
  return new InputError(
    index,
    `has ${bytes} bytes as JSON; an input can have at most ${most}${most === MAX_PAYLOAD_BYTES ? ' (64 MiB)' : ''}. Put the data where the task can fetch it (a file, S3), and use its path as the input.`,
  );
}

/** Whether a text of JSON is too long for a message that holds this many bytes of it. */
export function isOver(text: string, bytes: number): boolean {
  // A UTF-16 unit takes at most three bytes, so most texts need no exact count.
  return text.length * 3 > bytes && Buffer.byteLength(text) > bytes;
}
