import type { S3Client } from '@aws-sdk/client-s3';
import type { Lines } from '../../outputs/blocks.ts';
import { type Encoding, encodeResults, type TableEncoding } from '../../outputs/encode.ts';
import { extensionOf } from '../../outputs/formats.ts';
import type { S3Folder } from '../messages/results-place.ts';
import { writeObject } from './object-writer.ts';
import { indexOf, Kept } from './part-buffer.ts';
import type { Part, PartKind } from './state.ts';

interface NamedPart {
  s3: S3Client;
  folder: S3Folder;
  /** Such as `0001-000001`. */
  name: string;
}

/**
 * Writes a part. Returns undefined if it has no results.
 *
 * @param counted its results, once all lines are written
 */
export async function writePart(
  { s3, folder, kind, name }: NamedPart & { kind: PartKind },
  lines: Lines,
  encoding: Encoding,
  counted: Pick<Kept, 'count' | 'indexes'>,
): Promise<Part | undefined> {
  const key = `${kind}/${name}${extensionOf(encoding.format, encoding.compression)}`;
  const place = { Bucket: folder.bucket, Key: `${folder.prefix}${key}` };
  const written = await writeObject(s3, place, encodeResults(lines, encoding));
  const { count: results, indexes } = counted;
  return written && results > 0 ? { key, kind, ...written, results, indexes } : undefined;
}

/** Writes results as a table, and those that do not fit its columns beside it. */
export async function writeTable(
  part: NamedPart,
  lines: Lines,
  encoding: Pick<TableEncoding, 'format' | 'compression' | 'columns'>,
): Promise<Part[]> {
  const rows = new Kept();
  const misfits = new Kept();
  const callbacks = {
    onRow: (index: number) => rows.counted(index),
    onMisfit: (text: string) => misfits.line({ index: indexOf(text), status: 'ok', text }),
  };
  const fitting = { ...part, kind: 'results' } as const;
  const table = await writePart(fitting, lines, { ...encoding, ...callbacks }, rows);
  const { compression } = encoding;
  const asLines = { format: 'jsonl', compression } as const;
  const other = { ...part, kind: 'other' } as const;
  const beside = await writePart(other, misfits.taken(), asLines, misfits);
  return [table, beside].filter((written) => written !== undefined);
}
