import type { Output } from '../call.ts';
import { element, escaped } from './xml.ts';

/**
 * The element of each item, for members of SQS's service model that are lists or maps. No element
 * surrounds the items. Every other member is an element of its own name.
 */
const ITEMS: Readonly<Record<string, string>> = {
  Attributes: 'Attribute',
  Failed: 'BatchResultErrorEntry',
  MessageAttributes: 'MessageAttribute',
  Messages: 'Message',
  QueueUrls: 'QueueUrl',
  queueUrls: 'QueueUrl',
  Results: 'ListMessageMoveTasksResultEntry',
  Tags: 'Tag',
};

/** The element of the key in a map's entries; that of the value is `Value`. */
export const MAP_KEYS: Readonly<Record<string, string>> = {
  Attributes: 'Name',
  MessageAttributes: 'Name',
  Tags: 'Key',
};

/** An action's answer as XML. */
export function resultOf(output: NonNullable<Output>, action: string): string {
  const { Successful, ...rest } = output;
  return member(`${action}ResultEntry`, Successful) + members(rest);
}

function members(structure: object): string {
  let xml = '';
  for (const [name, value] of Object.entries(structure)) xml += member(name, value);
  return xml;
}

function member(name: string, value: unknown): string {
  if (value === undefined || value === null) return '';
  const item = ITEMS[name] ?? name;
  if (Array.isArray(value)) return value.map((one) => element(item, content(one))).join('');
  const key = MAP_KEYS[name];
  if (key === undefined) return element(item, content(value));
  return Object.entries(value)
    .map(([of, one]) => element(item, member(key, of) + member('Value', one)))
    .join('');
}

function content(value: unknown): string {
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  }
  return typeof value === 'object' && value !== null ? members(value) : escaped(String(value));
}
