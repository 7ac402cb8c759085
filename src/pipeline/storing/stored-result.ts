import type { S3Client } from '@aws-sdk/client-s3';
import type { S3Folder } from '../messages/results-place.ts';
import { linesOf } from './part-reader.ts';
import { isTable, noRunIn } from './read.ts';
import { StateObject } from './state-object.ts';

/** Most bytes of objects that are read for one result: a person waits for it. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * The stored result of one input, as a JSON text. Failures are looked for first. Undefined if there
 * is none yet, if it is in a table, or if it is not found in the first 64 MiB of objects.
 *
 * @throws FanfoldError `UnknownRun` when the folder holds no run
 */
export async function storedResult(
  s3: S3Client,
  folder: S3Folder,
  index: number,
): Promise<string | undefined> {
  const state = await StateObject.load(s3, folder);
  if (state === undefined) throw noRunIn(folder);
  const within = state.run.parts.filter(
    ({ indexes: [first, last], ...part }) => first <= index && index <= last && !isTable(part),
  );
  const isFailed = ({ kind }: { kind: string }) => kind === 'failed';
  const head = `{"index":${index},`;
  let bytes = 0;
  for (const part of [...within.filter(isFailed), ...within.filter((one) => !isFailed(one))]) {
    bytes += part.bytes;
    if (bytes > MOST_BYTES) return undefined;
    for await (const lines of linesOf(s3, folder, part)) {
      const found = lines.find((line) => line.startsWith(head));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
