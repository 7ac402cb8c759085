import type { S3Client } from '@aws-sdk/client-s3';
import { FanfoldError } from '../../errors.ts';
import type { ResultLine } from '../messages/result.ts';
import { ResultBatch } from '../messages/result-message.ts';
import { type S3Folder, urlOf } from '../messages/results-place.ts';
import { MANIFEST } from './finish.ts';
import type { Manifest } from './manifest.ts';
import { manifestIn } from './manifest-text.ts';
import { insert, type Reader, readerOf } from './merge-order.ts';
import { getObject } from './object-reader.ts';
import { linesOf } from './part-reader.ts';
import type { Part, StoredRun } from './state.ts';
import { StateObject } from './state-object.ts';

/** What a run's folder holds by now. */
interface Listed {
  parts: readonly Part[];
  /** Whether the parts of results are sorted by index: each of them, or the only one. */
  isSorted: boolean;
}

/**
 * Reads `manifest.json`; undefined if the run has none yet.
 *
 * @throws FanfoldError `BadMessage` when it is not the manifest of this folder's run
 */
export async function readManifest(s3: S3Client, folder: S3Folder): Promise<Manifest | undefined> {
  const found = await getObject(s3, folder, MANIFEST);
  if (found === undefined) return undefined;
  const text = (await found.Body?.transformToString()) ?? '';
  return manifestIn(text, folder);
}

/**
 * Yields the results that a run's folder holds by now, in batches: those of the parts that the
 * manifest lists or, before the run's end, the run's record.
 *
 * @param inOrder whether to merge them in input order. In memory are the parts whose indexes overlap
 * @throws FanfoldError `BadOption` when results are in tables; `UnknownRun` when there is no run
 */
export async function* readStored(
  s3: S3Client,
  folder: S3Folder,
  inOrder: boolean,
): AsyncGenerator<ResultBatch, void> {
  const { parts, isSorted } = await listed(s3, folder);
  const tables = parts.filter(isTable);
  if (tables.length > 0) throw inTables(folder, tables);
  if (inOrder) {
    yield* merged(s3, folder, parts, isSorted);
    return;
  }
  for (const part of parts) {
    for await (const lines of linesOf(s3, folder, part)) {
      yield ResultBatch.ofLines(lines.map(resultLine));
    }
  }
}

async function listed(s3: S3Client, folder: S3Folder): Promise<Listed> {
  const manifest = await readManifest(s3, folder);
  if (manifest) return { parts: manifest.parts, isSorted: manifest.ordered };
  const run = (await StateObject.load(s3, folder))?.run;
  if (run === undefined) throw noRunIn(folder);
  checkLines(run, folder);
  return { parts: run.parts, isSorted: run.options.ordered === true };
}

/**
 * Refuses a run that stores tables, also before its first one is there.
 *
 * @throws FanfoldError `BadOption`
 */
export async function refuseTables(s3: S3Client, folder: S3Folder): Promise<void> {
  const state = await StateObject.load(s3, folder);
  if (state) checkLines(state.run, folder);
}

function checkLines({ options, parts }: StoredRun, folder: S3Folder): void {
  if (options.format !== 'jsonl') throw inTables(folder, parts.filter(isTable));
}

export function isTable({ key }: Pick<Part, 'key'>): boolean {
  return !/\.jsonl(\.gz|\.zst)?$/.test(key);
}

/** The error for a folder without a manifest and a record. */
export function noRunIn(folder: S3Folder): FanfoldError {
  return new FanfoldError('UnknownRun', `${urlOf(folder)} does not hold the results of a run.`);
}

/** The command that fetches the objects of a folder. */
function fetchOf(folder: string, into: string): string {
  return `aws s3 cp --recursive ${folder} ${into}`;
}

function inTables(folder: S3Folder, tables: readonly Part[]): FanfoldError {
  const url = urlOf(folder);
  const names = tables.slice(0, 3).map((part) => `${part.folder ?? url}${part.key}`);
  if (tables.length === 0) {
    return new FanfoldError(
      'BadOption',
      `The results in ${url} become tables, which cannot be read as lines of JSON. Once the run is over, fetch the objects as they are: ${fetchOf(url, '.')}`,
    );
  }
  const folders = new Set(tables.map((part) => part.folder ?? url));
  const intoOf = (one: string) => (folders.size === 1 ? '.' : (one.split('/').at(-2) ?? '.'));
  const fetches = Array.from(folders, (one) => fetchOf(one, intoOf(one)));
  const more = tables.length > names.length ? ` and ${tables.length - names.length} more` : '';
  return new FanfoldError(
    'BadOption',
    `These results are tables, which cannot be read as lines of JSON: ${names.join(', ')}${more}. Fetch the objects as they are: ${fetches.join('; ')}`,
  );
}

const LINE = /^\{"index":(\d+),"status":"(ok|failed|cancelled)"/;

function resultLine(text: string): ResultLine {
  const [, index, status] = LINE.exec(text) ?? [];
  return { index: Number(index), status: status as ResultLine['status'], text };
}

/** Lines in a batch of merged ones. */
const BATCH = 1_000;

/** Results in input order. A part is opened when the results reach its first index. */
async function* merged(
  s3: S3Client,
  folder: S3Folder,
  parts: readonly Part[],
  isSorted: boolean,
): AsyncGenerator<ResultBatch, void> {
  const waiting = parts.toSorted((one, other) => other.indexes[0] - one.indexes[0]);
  /** Sorted by index, the lowest last. */
  const readers: Reader[] = [];
  let batch: string[] = [];
  for (;;) {
    const next = waiting.at(-1);
    const nextIndex = next?.indexes[0] ?? Number.POSITIVE_INFINITY;
    if (next && nextIndex <= (readers.at(-1)?.index ?? Number.POSITIVE_INFINITY)) {
      waiting.pop();
      const isStream = isSorted && next.kind === 'results';
      const opened = readerOf(isStream ? linesOf(s3, folder, next) : sortedLines(s3, folder, next));
      if (await opened.next()) insert(readers, opened);
      continue;
    }
    const reader = readers.pop();
    if (!reader) break;
    const following = Math.min(readers.at(-1)?.index ?? Number.POSITIVE_INFINITY, nextIndex);
    let hasMore = true;
    while (hasMore && reader.index < following) {
      batch.push(reader.line);
      if (batch.length === BATCH) {
        yield ResultBatch.ofLines(batch.map(resultLine));
        batch = [];
      }
      hasMore = await reader.next();
    }
    if (hasMore) insert(readers, reader);
  }
  if (batch.length > 0) yield ResultBatch.ofLines(batch.map(resultLine));
}

async function* sortedLines(
  s3: S3Client,
  folder: S3Folder,
  part: Part,
): AsyncGenerator<string[], void> {
  const lines: ResultLine[] = [];
  for await (const batch of linesOf(s3, folder, part)) {
    for (const text of batch) lines.push(resultLine(text));
  }
  lines.sort((one, other) => one.index - other.index);
  yield lines.map(({ text }) => text);
}
