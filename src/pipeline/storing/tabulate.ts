import type { S3Client } from '@aws-sdk/client-s3';
import type { S3Folder } from '../messages/results-place.ts';
import { linesOf } from './part-reader.ts';
import type { Part } from './state.ts';
import type { StateObject } from './state-object.ts';
import { writeTable } from './write-part.ts';

/**
 * Encodes the first results of a run with tables, once it has ended. They were stored as JSON lines,
 * since the columns were not known yet. An ordered run gets its table from the merge.
 */
export async function tabulate(s3: S3Client, folder: S3Folder, state: StateObject): Promise<void> {
  const { options, parts, epoch, columns } = state.run;
  const { format, compression, ordered } = options;
  if (format === 'jsonl' || ordered || columns === undefined) return;
  const isEarly = ({ kind, key }: Part) => kind === 'results' && key.includes('.jsonl');
  const early = parts.filter(isEarly);
  if (early.length === 0) return;
  const lines = async function* () {
    for (const part of early) {
      for await (const batch of linesOf(s3, folder, part)) yield* batch;
    }
  };
  // The parts that a collector writes have numbers from 1.
  const name = `${String(epoch).padStart(4, '0')}-000000`;
  const tables = await writeTable({ s3, folder, name }, lines(), { format, compression, columns });
  await state.replace({ parts: [...tables, ...parts.filter((part) => !isEarly(part))] });
}
