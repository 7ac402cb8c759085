import type { S3Client } from '@aws-sdk/client-s3';
import { createSHA256, type IHasher } from 'hash-wasm';
import { type Encoding, encodeResults } from '../../outputs/encode.ts';
import { extensionOf } from '../../outputs/formats.ts';
import { type GrowingFile, openFile } from '../../outputs/growing-file.ts';
import type { S3Folder } from '../messages/results-place.ts';
import { inOrder, openParts, type Reader } from './merge-order.ts';
import { readMerge, type SavedMerge, saveMerge } from './merge-progress.ts';
import { ObjectDraft, writeObject } from './object-writer.ts';
import { indexOf, Kept } from './part-buffer.ts';
import type { Part, StoredRun } from './state.ts';

export interface MergeOptions {
  s3: S3Client;
  folder: S3Folder;
  /** Aborted when the time is up: the merge is paused. */
  signal: AbortSignal;
  /** Bytes of a piece of the object. @default 8 MiB */
  pieceBytes?: number | undefined;
}

/** The parts that a run has after its merge; or, if the time was up, what the next one continues. */
export type Merged = { parts: Part[] } | { saved: string; hasProgress: boolean };

/**
 * Merges the sorted parts of an ordered run into one object in input order, in the run's format.
 * Results that do not fit the format's columns have parts of their own.
 */
export async function mergeParts(run: StoredRun, options: MergeOptions): Promise<Merged> {
  // The table of a run that this one continues can't be read as lines: it stays beside the new one.
  const isSorted = ({ kind, key }: Part) => kind === 'results' && key.includes('.jsonl');
  const others = run.parts.filter((part) => !isSorted(part));
  const sorted = run.parts.filter(isSorted);
  if (sorted.length === 0) return { parts: others };
  const { s3, folder } = options;
  const before = run.merge === undefined ? undefined : await readMerge(s3, folder, run.merge);
  const merge = new Merge(run, options, await createSHA256(), before);
  try {
    const merged = await merge.run(await openParts(s3, folder, sorted, before?.offsets));
    return 'parts' in merged ? { parts: [...others, ...merged.parts] } : merged;
  } catch (error) {
    // What another collector began stays for the next one.
    if (!before) await merge.abort();
    throw error;
  }
}

/** One collector's work on a merge. */
class Merge {
  readonly #run: StoredRun;
  readonly #options: MergeOptions;
  readonly #before: SavedMerge | undefined;
  readonly #key: string;
  readonly #misfits = new Kept();
  readonly #file: GrowingFile;
  readonly #draft: ObjectDraft;
  /** Unlike that of Node.js, its state can be saved. */
  readonly #hash: IHasher;
  /** The results that were merged here. */
  readonly #merged = new Kept();
  #isPaused = false;

  constructor(run: StoredRun, options: MergeOptions, hash: IHasher, before?: SavedMerge) {
    const { format, compression } = run.options;
    const { s3, folder, pieceBytes } = options;
    this.#run = run;
    this.#options = options;
    this.#before = before;
    this.#file = openFile(this.#encoding(), before && { saved: before.file });
    this.#key = `results${extensionOf(format, compression)}`;
    const place = { Bucket: folder.bucket, Key: `${folder.prefix}${this.#key}` };
    this.#draft = new ObjectDraft(s3, place, pieceBytes, before?.draft);
    this.#hash = hash;
    if (before) {
      hash.load(before.hash);
      this.#merged.span(...before.indexes);
    }
  }

  async run(readers: readonly Reader[]): Promise<Merged> {
    for await (const chunk of this.#file.add(this.#lines(readers))) await this.#add(chunk);
    const others = [...(this.#before?.others ?? []), ...(await this.#writeMisfits())];
    const results = (this.#before?.results ?? 0) + this.#merged.count;
    // If no result fits, the table is empty, and the indexes are those of the others.
    const { indexes } = results > 0 || this.#isPaused ? this.#merged : this.#misfits;
    if (this.#isPaused) {
      const progress: SavedMerge = {
        ...{ hash: this.#hash.save(), file: this.#file.save(), frames: this.#frames() },
        offsets: readers.map(({ offset }) => offset),
        ...{ results, indexes, others },
        draft: await this.#draft.save(),
      };
      const { s3, folder } = this.#options;
      const saved = await saveMerge(s3, folder, this.#run.epoch, progress);
      return { saved, hasProgress: this.#merged.count + this.#misfits.count > 0 };
    }
    await this.#add(this.#file.end());
    await this.#draft.complete();
    const { bytes } = this.#draft;
    const sha256 = Buffer.from(this.#hash.digest('binary')).toString('base64');
    const whole: Part = { key: this.#key, kind: 'results', bytes, results, indexes, sha256 };
    const frames = this.#frames();
    if (frames.length > 1 && this.#key.endsWith('.zst')) whole.frames = frames;
    return { parts: [whole, ...others] };
  }

  abort(): Promise<void> {
    return this.#draft.abort();
  }

  #encoding(): Encoding {
    const { options, columns = [] } = this.#run;
    const { format, compression } = options;
    if (format === 'jsonl') return { format, compression };
    const onMisfit = (text: string) =>
      this.#misfits.line({ index: indexOf(text), status: 'ok', text });
    const onRow = (index: number) => this.#merged.counted(index);
    return { format, compression, columns, onMisfit, onRow };
  }

  async *#lines(readers: readonly Reader[]): AsyncGenerator<string, void> {
    const isLines = this.#run.options.format === 'jsonl';
    for await (const line of inOrder(readers)) {
      // Its reader is still at this line, which the next collector merges.
      this.#isPaused = this.#options.signal.aborted;
      if (this.#isPaused) return;
      // Tables count the results that fit.
      if (isLines) this.#merged.counted(indexOf(line));
      yield line;
    }
  }

  #add(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    return this.#draft.add(chunk);
  }

  /** Bytes that each collector has added. */
  #frames(): number[] {
    const before = this.#before?.frames ?? [];
    const sum = before.reduce((bytes, more) => bytes + more, 0);
    return [...before, this.#draft.bytes - sum];
  }

  async #writeMisfits(): Promise<Part[]> {
    if (this.#misfits.count === 0) return [];
    const { epoch, options } = this.#run;
    const { compression } = options;
    const { s3, folder } = this.#options;
    const { count: results, indexes } = this.#misfits;
    const key = `other/${String(epoch).padStart(4, '0')}-merged${extensionOf('jsonl', compression)}`;
    const place = { Bucket: folder.bucket, Key: `${folder.prefix}${key}` };
    const content = encodeResults(this.#misfits.taken(), { format: 'jsonl', compression });
    const written = await writeObject(s3, place, content);
    return written ? [{ key, kind: 'other', ...written, results, indexes }] : [];
  }
}
