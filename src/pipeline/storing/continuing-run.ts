import type { S3Client } from '@aws-sdk/client-s3';
import { FanfoldError } from '../../errors.ts';
import { encodeResults } from '../../outputs/encode.ts';
import { extensionOf } from '../../outputs/formats.ts';
import type { BeginEvent } from '../messages/collector-event.ts';
import type { S3Folder } from '../messages/results-place.ts';
import type { Deployment } from '../run/deployment.ts';
import { type KeptResults, keptFailures, keptResults } from './kept-results.ts';
import { writeObject } from './object-writer.ts';
import { indexOf, Kept } from './part-buffer.ts';
import { newStoredRun, type Part, type StoredRun } from './state.ts';

interface Place {
  deployment: Pick<Deployment, 'sqs' | 'names'>;
  s3: S3Client;
  /** The folder of the new run. */
  folder: S3Folder;
}

/**
 * The record of a run that continues another one. It lists the parts of that run whose results stay,
 * which are read where they are; failures that stay are copied, since others beside them do not.
 *
 * @throws FanfoldError `BadOption` when the earlier run goes on, or was another one
 */
export async function continuingRun(
  asked: Omit<BeginEvent, 'output'>,
  earlier: S3Folder,
  { deployment, s3, folder }: Place,
): Promise<StoredRun> {
  const kept = await keptResults(s3, deployment, earlier, asked.retryFailed);
  const { options, parts, columns, sample, ended } = kept.run;
  check(asked, kept);
  const { format, compression, ordered } = options;
  const run = newStoredRun({ ...asked, format, compression, ordered, mark: ended?.inputs });
  const staying = parts
    .filter(({ kind }) => kind !== 'failed')
    .map((part) => ({ ...part, folder: part.folder ?? kept.folder }));
  const failed = await copyFailures(s3, { from: earlier, to: folder }, kept);
  return {
    ...run,
    parts: failed ? [...staying, failed] : staying,
    ledger: kept.ledger.save(),
    ...{ columns, sample },
  };
}

async function copyFailures(
  s3: S3Client,
  { from, to }: { from: S3Folder; to: S3Folder },
  kept: KeptResults,
): Promise<Part | undefined> {
  if (kept.ledger.failed === 0) return undefined;
  const { compression } = kept.run.options;
  const indexes = new Kept();
  const lines = async function* () {
    for await (const line of keptFailures(s3, from, kept)) {
      const index = indexOf(line);
      indexes.span(index, index);
      yield line;
    }
  };
  const key = `failed/0000-000001${extensionOf('jsonl', compression)}`;
  const place = { Bucket: to.bucket, Key: `${to.prefix}${key}` };
  const encoded = encodeResults(lines(), { format: 'jsonl', compression });
  const written = await writeObject(s3, place, encoded);
  const part = { key, kind: 'failed', results: kept.ledger.failed } as const;
  return written && { ...part, ...written, indexes: indexes.indexes };
}

/** @throws FanfoldError `BadOption` when a run was another one than the one that continues it */
function check(asked: Omit<BeginEvent, 'output'>, { run: { options } }: KeptResults): void {
  const facts = ['task', 'format', 'compression', 'ordered'] as const;
  for (const fact of facts) {
    const [now, before] = [asked[fact], options[fact]];
    if (now === undefined || now === (before ?? (fact === 'ordered' ? false : undefined))) continue;
    const shown = before === undefined ? `without \`${fact}\`` : `with the ${fact} ${before}`;
    throw new FanfoldError(
      'BadOption',
      `Run ${options.runId} was started ${shown}, not ${now}: continue it the same way.`,
    );
  }
}
