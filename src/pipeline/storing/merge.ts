import type { S3Client } from '@aws-sdk/client-s3';
import { encodeResults } from '../../outputs/encode.ts';
import { extensionOf } from '../../outputs/formats.ts';
import type { S3Folder } from '../messages/results-place.ts';
import { writeObject } from './object-writer.ts';
import { indexOf, Kept } from './part-buffer.ts';
import { linesInRanges, linesOf } from './part-reader.ts';
import type { Part, StoredRun } from './state.ts';

/** Memory for the parts that are read at once. */
const READ_BYTES = 128 * 1024 * 1024;
const LEAST_RANGE_BYTES = 64 * 1024;
const MOST_RANGE_BYTES = 4 * 1024 * 1024;

/**
 * Merges the sorted parts of an ordered run into one object in input order, in the run's format.
 * Returns the parts that the run has then: results that do not fit the format's columns have one of
 * their own.
 *
 * @param signal aborted when the time is up: the merge is abandoned, and throws the signal's reason
 */
export async function mergeParts(
  s3: S3Client,
  folder: S3Folder,
  { options, parts, columns = [] }: StoredRun,
  signal: AbortSignal,
): Promise<Part[]> {
  const { format, compression } = options;
  // The table of a run that this one continues can't be read as lines: it stays beside the new one.
  const isSorted = ({ kind, key }: Part) => kind === 'results' && key.includes('.jsonl');
  const sorted = parts.filter(isSorted);
  const others = parts.filter((part) => !isSorted(part));
  if (sorted.length === 0) return others;
  const misfits = new Kept();
  const onMisfit = (text: string) => misfits.line({ index: indexOf(text), status: 'ok', text });
  const encoding =
    format === 'jsonl' ? { format, compression } : { format, compression, columns, onMisfit };
  const write = async (kind: Part['kind'], key: string, content: AsyncIterable<Uint8Array>) => {
    const place = { Bucket: folder.bucket, Key: `${folder.prefix}${key}` };
    const written = await writeObject(s3, place, content);
    return written && { key, kind, ...written };
  };
  const merged = new Kept();
  const lines = async function* () {
    for await (const line of inOrder(s3, folder, sorted)) {
      signal.throwIfAborted();
      const index = indexOf(line);
      merged.span(index, index);
      merged.count++;
      yield line;
    }
  };
  const key = `results${extensionOf(format, compression)}`;
  const whole = await write('results', key, encodeResults(lines(), encoding));
  const results = merged.count - misfits.count;
  if (whole) others.push({ ...whole, results, indexes: merged.indexes });
  if (misfits.count === 0) return others;
  const otherKey = `other${extensionOf('jsonl', compression)}`;
  const content = encodeResults(misfits.taken(), { format: 'jsonl', compression });
  const other = await write('other', otherKey, content);
  if (other) others.push({ ...other, results: misfits.count, indexes: misfits.indexes });
  return others;
}

/** A sorted part that is being read. */
export interface Reader {
  index: number;
  line: string;
  next: () => Promise<boolean>;
}

/** The lines of sorted parts, in order. */
async function* inOrder(
  s3: S3Client,
  folder: S3Folder,
  parts: readonly Part[],
): AsyncGenerator<string, void> {
  const share = Math.floor(READ_BYTES / parts.length);
  const rangeBytes = Math.min(MOST_RANGE_BYTES, Math.max(LEAST_RANGE_BYTES, share));
  /** Sorted by index, the lowest last. */
  const readers: Reader[] = [];
  for (const part of parts) {
    // Only the object of a run that this one continues is compressed.
    const isPlain = part.key.endsWith('.jsonl');
    const reader = readerOf(
      isPlain ? linesInRanges(s3, folder, part, rangeBytes) : linesOf(s3, folder, part),
    );
    if (await reader.next()) insert(readers, reader);
  }
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

export function readerOf(batches: AsyncGenerator<string[], void>): Reader {
  let lines: string[] = [];
  let at = 0;
  const reader = {
    index: 0,
    line: '',
    next: async () => {
      if (at === lines.length) {
        const { value, done } = await batches.next();
        if (done) return false;
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
