import type { Output } from '../call.ts';
import { MAP_KEYS } from './query-output.ts';

/** Members that have another name here, as recorded from AWS. */
const NAMES: Readonly<Record<string, string>> = { Messages: 'messages', QueueUrls: 'queueUrls' };

/**
 * An action's answer in the Query protocol, for clients that ask for JSON: nested like the XML,
 * with each map as a list of its entries.
 */
export function jsonResultOf(output: NonNullable<Output>): object {
  return Object.fromEntries(
    Object.entries(output).map(([name, value]) => [NAMES[name] ?? name, jsonOf(name, value)]),
  );
}

function jsonOf(name: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => jsonOf('', item));
  // Bytes convert themselves to base64.
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  const key = MAP_KEYS[name];
  const entries = Object.entries(value).map(([of, one]) => [of, jsonOf(of, one)] as const);
  if (key === undefined) return Object.fromEntries(entries);
  return entries.map(([of, one]) => ({ [key]: of, Value: one }));
}
