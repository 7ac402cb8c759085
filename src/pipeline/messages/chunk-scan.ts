import type { ChunkItem } from './chunk.ts';
import { skipDigits, skipKey, skipSpace, skipSpacedJson } from './json-text.ts';
import { isIndex } from './result.ts';

/** The parts of a task message. */
export interface ScannedChunk {
  /** All fields but `items`. */
  fields: Record<string, unknown>;
  /** Undefined if they are not pairs of an index and an input. */
  items: ChunkItem[] | undefined;
}

const ITEMS = '"items"';

/**
 * Splits a task message and leaves its inputs as texts. They are parsed one by one where they run,
 * and sent on unchanged, however deep they are nested (`JSON.stringify` overflows the stack at some
 * thousand levels). Undefined if the message is not a JSON object.
 */
export function scanChunk(body: string): ScannedChunk | undefined {
  const to = body.length;
  const fields: string[] = [];
  let items: ChunkItem[] | undefined;
  let at = open(body, 0, '{');
  if (at < 0) return undefined;
  for (let isFirst = true; ; isFirst = false) {
    if (isFirst && body[at] === '}') break;
    const value = skipKey(body, at, to);
    if (value < 0) return undefined;
    const list = body.startsWith(ITEMS, at) ? itemsAt(body, value) : undefined;
    const end = list?.end ?? skipSpacedJson(body, value, to);
    if (end < 0) return undefined;
    if (body.startsWith(ITEMS, at)) items = list?.items;
    else fields.push(body.slice(at, end));
    const next = skipSpace(body, end, to);
    if (body[next] === '}') {
      at = next;
      break;
    }
    if (body[next] !== ',') return undefined;
    at = skipSpace(body, next + 1, to);
  }
  if (skipSpace(body, at + 1, to) !== to) return undefined;
  return { fields: JSON.parse(`{${fields.join()}}`) as Record<string, unknown>, items };
}

/** A list of pairs, and the position after it; undefined if there is no such list. */
function itemsAt(body: string, from: number): { items: ChunkItem[]; end: number } | undefined {
  const to = body.length;
  const items: ChunkItem[] = [];
  let at = open(body, from, '[');
  if (at < 0) return undefined;
  if (body[at] === ']') return { items, end: at + 1 };
  for (; ; at = skipSpace(body, at + 1, to)) {
    const digits = open(body, at, '[');
    const afterDigits = digits < 0 ? -1 : skipDigits(body, digits, to);
    if (afterDigits < 0) return undefined;
    const index = Number(body.slice(digits, afterDigits));
    const comma = skipSpace(body, afterDigits, to);
    if (!isIndex(index) || body[comma] !== ',') return undefined;
    const value = skipSpace(body, comma + 1, to);
    const end = skipSpacedJson(body, value, to);
    const close = skipSpace(body, end, to);
    if (end < 0 || body[close] !== ']') return undefined;
    items.push({ index, text: body.slice(value, end) });
    at = skipSpace(body, close + 1, to);
    if (body[at] === ']') return { items, end: at + 1 };
    if (body[at] !== ',') return undefined;
  }
}

/** The position after a bracket and the space around it; -1 if another character is there. */
function open(body: string, from: number, bracket: string): number {
  const at = skipSpace(body, from, body.length);
  return body[at] === bracket ? skipSpace(body, at + 1, body.length) : -1;
}
