import type { Json } from '../../task.ts';
import { ITEMS_BEGIN, ITEMS_END, messageText, type ReceivedItem } from './chunk.ts';
import { parsed } from './json-text.ts';
import { payloadItem, readPayload, readPayloadItem } from './payload.ts';
import { isIndex } from './result.ts';

/** The parts of a task message. */
export interface SplitChunk {
  fields: Record<string, unknown>;
  /** Undefined if they are not pairs of an index and an input, or of an index and a payload. */
  items: ReceivedItem[] | undefined;
}

/**
 * Splits a task message. Its inputs are kept as texts, too, which are sent on unchanged, however deep
 * they are nested (`JSON.stringify` overflows the stack at some thousand levels). Undefined if the
 * message is not a JSON object.
 */
export function splitChunk(body: string): SplitChunk | undefined {
  const begin = body.indexOf(ITEMS_BEGIN);
  const isLaidOut = begin > 0 && body.endsWith(ITEMS_END);
  const head = isLaidOut ? parsed(`${body.slice(0, begin)}}`) : undefined;
  const lines = body.slice(begin + ITEMS_BEGIN.length, -ITEMS_END.length);
  const items = isObject(head) ? itemsOfLines(lines) : undefined;
  if (isObject(head) && items) return { fields: head, items };
  // Another layout, such as that of earlier versions.
  const whole = parsed(body);
  return isObject(whole) ? { fields: whole, items: itemsOf(whole.items) } : undefined;
}

/** A line with an item, as `chunkBody` writes it. JSON has a line feed between values only. */
const ITEM = /^\[(0|[1-9]\d*),([^\n]+)\]$/;

function itemsOfLines(lines: string): ReceivedItem[] | undefined {
  const items: ReceivedItem[] = [];
  for (const line of lines.split(',\n')) {
    const [, digits, text = ''] = ITEM.exec(line) ?? [];
    const index = Number(digits);
    const payload = readPayloadItem(text);
    const value = payload ? null : parsed(text);
    if (!isIndex(index) || value === undefined) return undefined;
    items.push(payload ? { index, text, value, payload } : { index, text, value });
  }
  return items;
}

function itemsOf(pairs: Json | undefined): ReceivedItem[] | undefined {
  if (!Array.isArray(pairs)) return undefined;
  const items: ReceivedItem[] = [];
  for (const pair of pairs) {
    const [index, value, facts, ...more] = Array.isArray(pair) ? pair : [];
    if (!isIndex(index) || value === undefined || more.length > 0) return undefined;
    if (facts !== undefined) {
      const payload = readPayload(facts);
      if (value !== null || payload === undefined) return undefined;
      items.push({ index, text: payloadItem(payload), value, payload });
      continue;
    }
    try {
      items.push({ index, text: messageText(JSON.stringify(value)), value });
    } catch {
      // It is nested too deep.
      return undefined;
    }
  }
  return items;
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
