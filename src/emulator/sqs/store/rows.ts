import { crc32 } from 'node:zlib';
import { type Draft, Message } from '../engine/message.ts';
import {
  Bytes,
  type MessageAttribute,
  type MessageAttributes,
} from '../engine/message-attributes.ts';
import { isSame, type KeptQueue, type Memory, type Owner } from '../engine/queue-state.ts';
import type { Moment } from '../service-time.ts';
import { Damage } from './damage.ts';

/*
 * Conversion between stored data and rows. Each row ends with the CRC-32 of its other columns,
 * since SQLite itself does not notice when the bytes of a value have changed.
 */

export type Value = string | number | null;

/** The columns of the tables, except for the checksum. */
export const COLUMNS = {
  queues:
    'id INTEGER PRIMARY KEY, name TEXT, uid TEXT, created_at INTEGER, modified_at INTEGER, purged_at INTEGER, attributes TEXT, tags TEXT, move_tasks TEXT',
  counts: 'queue INTEGER PRIMARY KEY, last_number INTEGER, messages INTEGER',
  memories:
    'place INTEGER PRIMARY KEY, queue INTEGER, ends_at INTEGER, key TEXT, sent TEXT, taken TEXT',
  /** One table per queue, for the parts of a message that never change. */
  messages:
    'number INTEGER PRIMARY KEY, id TEXT, sent_at INTEGER, group_id TEXT, deduplication_id TEXT, body_md5 TEXT, more TEXT, body TEXT',
} as const;

export function withChecksum(values: Value[]): Value[] {
  values.push(checksum(values, values.length));
  return values;
}

/** Refuses a row whose checksum does not match. */
export function checkRow(row: readonly Value[], what: string): void {
  const end = row.length - 1;
  if (row[end] !== checksum(row, end)) throw new Damage(`${what} is corrupt`);
}

function checksum(values: readonly Value[], end: number): number {
  let text = '';
  for (let place = 0; place < end - 1; place++) text += `${values[place]}\0`;
  // The last value may be a long text, so it is not copied.
  return crc32(String(values[end - 1]), crc32(text));
}

/** @param ownerId the account that owns the queue; most senders belong to it */
export function messageRow({ number, sentAt, draft }: Message, ownerId: string): Value[] {
  const { id, groupId = null, deduplicationId = null, bodyMd5 = null, body } = draft;
  return [number, id, sentAt, groupId, deduplicationId, bodyMd5, more(draft, ownerId), body];
}

/** The message of a row, as if it had just been sent: its stored state is applied later. */
export function readMessage(row: readonly Value[], ownerId: string): Message {
  checkRow(row, `message ${row[0]}`);
  const [number, id, sentAt, groupId, deduplicationId, bodyMd5, rest, body] = row;
  const draft: Draft = {
    id: String(id),
    body: String(body),
    bodyMd5: text(bodyMd5),
    senderId: ownerId,
    ...readMore(rest),
    groupId: text(groupId),
    deduplicationId: text(deduplicationId),
    delaySeconds: undefined,
  };
  const message = new Message(draft, Number(sentAt));
  message.number = Number(number);
  return message;
}

/** Whether the state of a message differs from that of one that has just been sent. */
export function hasState(message: Message): boolean {
  const { state, receipt, sentAt, keptSince, deadLetterSourceArn } = message;
  return (
    state !== 'visible' || receipt > 0 || keptSince !== sentAt || deadLetterSourceArn !== undefined
  );
}

export function queueRow(
  id: number,
  queue: Omit<KeptQueue, 'lastNumber'>,
  fullName: string,
): Value[] {
  return [
    id,
    fullName,
    queue.uid,
    queue.createdAt,
    queue.modifiedAt,
    Number.isFinite(queue.purgedAt) ? queue.purgedAt : null,
    JSON.stringify([...queue.attributes]),
    JSON.stringify([...queue.tags]),
    JSON.stringify(queue.moveTasks),
  ];
}

export function readQueue(row: readonly Value[], lastNumber: number, own: Owner): KeptQueue {
  checkRow(row, 'the row of the queue itself');
  const [, name, uid, createdAt, modifiedAt, purgedAt, attributes, tags, moveTasks] = row;
  return {
    ...readFullName(String(name), own),
    uid: String(uid),
    createdAt: Number(createdAt),
    modifiedAt: Number(modifiedAt),
    purgedAt: purgedAt === null ? Number.NEGATIVE_INFINITY : Number(purgedAt),
    attributes: new Map(JSON.parse(String(attributes))),
    tags: new Map(JSON.parse(String(tags))),
    moveTasks: JSON.parse(String(moveTasks)),
    lastNumber,
  };
}

/**
 * A queue's name, unique across accounts and regions. Queues of the store's own account and region
 * have their plain name, as in older stores, which had no others.
 */
export function fullNameOf({ name, owner }: Pick<KeptQueue, 'name' | 'owner'>, own: Owner): string {
  return isSame(owner, own) ? name : `${owner.region}/${owner.accountId}/${name}`;
}

export function readFullName(fullName: string, own: Owner): Pick<KeptQueue, 'name' | 'owner'> {
  const [region = '', accountId = '', name] = fullName.split('/');
  if (name === undefined) return { name: fullName, owner: own };
  return { name, owner: { accountId, region } };
}

export function countRow(id: number, queue: { lastNumber: number; messageCount: number }): Value[] {
  return [id, queue.lastNumber, queue.messageCount];
}

export function readCounts(row: readonly Value[]): { lastNumber: number; messages: number } {
  checkRow(row, 'the count of its messages');
  return { lastNumber: Number(row[1]), messages: Number(row[2]) };
}

/** A row without its place, which is assigned when the row is written. */
export function memoryRow(queue: number, memory: Memory): Value[] {
  const sent = 'sent' in memory ? JSON.stringify(memory.sent) : null;
  const taken = 'taken' in memory ? JSON.stringify(memory.taken) : null;
  return [queue, memory.endsAt, memory.key, sent, taken];
}

export function readMemory(row: readonly Value[]): Memory {
  checkRow(row, 'the row of a deduplication or receive attempt id');
  const [, , endsAt, key, sent, taken] = row;
  const common = { key: String(key), endsAt: Number(endsAt) };
  if (taken === null) return { ...common, sent: JSON.parse(String(sent)) };
  return { ...common, taken: JSON.parse(String(taken)) };
}

function text(value: Value | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

type More = Pick<Draft, 'attributes' | 'attributesMd5' | 'systemAttributesMd5' | 'traceHeader'> &
  Partial<Pick<Draft, 'senderId'>>;

const NO_ATTRIBUTES: MessageAttributes = new Map();

const NOTHING_MORE: More = {
  attributes: NO_ATTRIBUTES,
  attributesMd5: undefined,
  systemAttributesMd5: undefined,
  traceHeader: undefined,
};

/** The parts that few messages have, as JSON. */
function more(draft: Draft, ownerId: string): Value {
  const { attributes, attributesMd5, systemAttributesMd5, traceHeader } = draft;
  const senderId = draft.senderId === ownerId ? undefined : draft.senderId;
  if (attributes.size === 0 && traceHeader === undefined && senderId === undefined) return null;
  // Bytes are base64 in JSON.
  const list = [...attributes];
  const all = { attributes: list, attributesMd5, systemAttributesMd5, traceHeader, senderId };
  return JSON.stringify(all);
}

function readMore(json: Value | undefined): More {
  if (typeof json !== 'string') return NOTHING_MORE;
  const { attributes, ...rest }: More & { attributes: Parameters<typeof readAttribute>[0][] } =
    JSON.parse(json);
  return { ...rest, attributes: new Map(attributes.map(readAttribute)) };
}

type Kept<T> = T extends Bytes ? string : T extends object ? { [K in keyof T]: Kept<T[K]> } : T;

function readAttribute([name, { dataType, value }]: [string, Kept<MessageAttribute>]): [
  string,
  MessageAttribute,
] {
  if ('text' in value) return [name, { dataType, value }];
  return [name, { dataType, value: { bytes: new Bytes(Buffer.from(value.bytes, 'base64')) } }];
}

/** A moment as it is stored, with a checksum like those of rows. */
export function momentText({ time, wall }: Moment): string {
  return `${time} ${wall} ${crc32(`${time} ${wall}`)}`;
}
