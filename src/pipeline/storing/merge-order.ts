import type { S3Client } from '@aws-sdk/client-s3';
import type { S3Folder } from '../messages/results-place.ts';
import { indexOf } from './part-buffer.ts';
import { linesInRanges, linesOf } from './part-reader.ts';
import type { Part } from './state.ts';

/** Memory for the parts that are read at once. */
const READ_BYTES = 128 * 1024 * 1024;
const LEAST_RANGE_BYTES = 64 * 1024;
const MOST_RANGE_BYTES = 4 * 1024 * 1024;

/** Parts that are opened at once. */
const PARALLEL = 16;

/** A sorted part that is being read. */
export interface Reader {
  index: number;
  line: string;
  /** Bytes of the lines before this one, uncompressed. */
  offset: number;
  next: () => Promise<boolean>;
}

/**
 * Opens sorted parts, each at its first line from an offset on.
 *
 * @param offsets of the parts; all of 0 by default
 */
export async function openParts(
  s3: S3Client,
  folder: S3Folder,
  parts: readonly Part[],
  offsets: readonly number[] = [],
): Promise<Reader[]> {
  const share = Math.floor(READ_BYTES / parts.length);
  const rangeBytes = Math.min(MOST_RANGE_BYTES, Math.max(LEAST_RANGE_BYTES, share));
  const readers = parts.map((part, at) => {
    const from = offsets[at] ?? 0;
    // Only the object of a run that this one continues is compressed.
    const lines = part.key.endsWith('.jsonl')
      ? linesInRanges(s3, folder, part, { rangeBytes, from })
      : linesFrom(linesOf(s3, folder, part), from);
    return readerOf(lines, from);
  });
  for (let at = 0; at < readers.length; at += PARALLEL) {
    await Promise.all(readers.slice(at, at + PARALLEL).map((reader) => reader.next()));
  }
  return readers;
}

/** The lines of open parts, in order. */
export async function* inOrder(opened: readonly Reader[]): AsyncGenerator<string, void> {
  /** Sorted by index, the lowest last. */
  const readers: Reader[] = [];
  for (const reader of opened) if (reader.line !== '') insert(readers, reader);
  for (let reader = readers.pop(); reader; reader = readers.pop()) {
    // Results that arrived together often follow each other.
    const following = readers.at(-1)?.index ?? Number.POSITIVE_INFINITY;
    let hasMore = true;
    while (hasMore && reader.index < following) {
      yield reader.line;
      hasMore = await reader.next();
    }
    if (hasMore) insert(readers, reader);
  }
}

/** Lines without the first ones, which take that many bytes. */
async function* linesFrom(
  batches: AsyncIterable<string[]>,
  from: number,
): AsyncGenerator<string[], void> {
  let passed = 0;
  for await (const lines of batches) {
    let at = 0;
    for (; passed < from && at < lines.length; at++) passed += bytesOf(lines[at] ?? '');
    yield at === 0 ? lines : lines.slice(at);
  }
}

function bytesOf(line: string): number {
  return Buffer.byteLength(line) + 1;
}

export function readerOf(batches: AsyncGenerator<string[], void>, from = 0): Reader {
  let lines: string[] = [];
  let at = 0;
  let isOpen = false;
  const reader = {
    index: 0,
    line: '',
    offset: from,
    next: async () => {
      if (isOpen) reader.offset += bytesOf(reader.line);
      isOpen = true;
      while (at === lines.length) {
        const { value, done } = await batches.next();
        if (done) {
          [reader.line, isOpen] = ['', false];
          return false;
        }
        [lines, at] = [value, 0];
      }
      reader.line = lines[at++] ?? '';
      reader.index = indexOf(reader.line);
      return true;
    },
  };
  return reader;
}

export function insert(readers: Reader[], reader: Reader): void {
  let [low, high] = [0, readers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((readers[middle]?.index ?? 0) > reader.index) low = middle + 1;
    else high = middle;
  }
  readers.splice(low, 0, reader);
}
