import { DeleteObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Columns } from '../../outputs/columns.ts';
import { ColumnSample } from '../../outputs/columns-of.ts';
import type { Compression } from '../../outputs/formats.ts';
import type { Received } from '../collecting/result-receiver.ts';
import type { ResultStore } from '../collecting/result-store.ts';
import type { RunStatistics } from '../collecting/run-statistics.ts';
import type { BegunNotice } from '../messages/notice.ts';
import type { ResultBatch } from '../messages/result-message.ts';
import type { S3Folder } from '../messages/results-place.ts';
import type { RunLedger, SavedLedger } from '../run/ledger.ts';
import type { RunBill } from '../run/run-bill.ts';
import { type Kept, PartBuffer } from './part-buffer.ts';
import type { Part, RunEnd, StoredRun } from './state.ts';
import { type StateObject, Superseded } from './state-object.ts';
import { writePart, writeTable } from './write-part.ts';

/** Limits at which a part is written. */
export interface PartLimits {
  /** Bytes of its results, uncompressed. @default 64 MiB */
  length?: number;
  /** Milliseconds since its first result. @default 60000 */
  ms?: number;
  /** Messages whose results wait. SQS allows 120,000 in flight. @default 40000 */
  messages?: number;
  /** Bytes of a piece in which a merged object is uploaded. @default 8 MiB */
  pieceBytes?: number;
  /** Number of results from which the columns of tables are derived. @default 1000 */
  sampleResults?: number;
}

const LIMITS = { length: 64 * 1024 * 1024, ms: 60_000, messages: 40_000 };

/** Part of a part that may wait while another one is being written: both are in memory. */
const AHEAD = 1 / 4;

/** Pause before another try to cut a part, in milliseconds. */
const AGAIN_MS = 20;

interface Acknowledgement {
  received: Received;
  acknowledge: (received: Received) => void;
}

/** Content that is written at once: results, the messages that they came in, and the ledger with them. */
interface Cut {
  buffer: PartBuffer;
  acknowledgements: Acknowledgement[];
  /** Undefined while the run is ending: then, only the last cut has it. */
  whole: (Pick<StoredRun, 'statistics'> & { ledger: SavedLedger }) | undefined;
}

export interface PartStoreOptions {
  s3: S3Client;
  folder: S3Folder;
  state: StateObject;
  ledger: RunLedger;
  statistics: RunStatistics;
  limits?: PartLimits | undefined;
  /** @default nothing is billed */
  bill?: RunBill | undefined;
}

/**
 * Stores results in parts. A part counts once the run's record lists it, which also has the ledger
 * of all results that are stored. The messages of the results are deleted only after that. So a
 * collector that is killed at any point loses nothing, and its unlisted parts are never read.
 */
export class PartStore implements ResultStore {
  readonly isSuccessor: boolean;
  readonly begun: BegunNotice[];
  readonly bill: RunBill | undefined;
  readonly statistics: RunStatistics;
  readonly #options: PartStoreOptions;
  readonly #limits: typeof LIMITS;
  #buffer = new PartBuffer();
  #acknowledgements: Acknowledgement[] = [];
  /** Results in the ledger that are in a part, or about to be. */
  #cut: number;
  /** Parts that the record does not list yet. */
  #unlisted: Part[] = [];
  #written = 0;
  /** Columns of tables, once they are known. */
  #columns: Columns | undefined;
  readonly #sample: ColumnSample;
  /** Whether no more results follow those that are being written. */
  #isLast = false;
  /** Notices that the record has. */
  #begunListed = 0;
  #isEnding = false;
  #writing: Promise<void> | undefined;
  #failure: { error: unknown } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PartStoreOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.isSuccessor = options.state.run.epoch > 1;
    this.#cut = options.ledger.settled;
    this.#columns = options.state.run.columns;
    this.#sample = new ColumnSample(options.state.run.sample, options.limits?.sampleResults);
    this.begun = [...options.state.run.begun];
    this.bill = options.bill;
    this.statistics = options.statistics;
  }

  get isReplaced(): boolean {
    return this.#failure?.error instanceof Superseded;
  }

  /** Adds results. Resolves when there is room for more. */
  async add(batch: ResultBatch): Promise<void> {
    this.#buffer.add(batch);
    this.#arm(this.#limits.ms);
    if (this.#isFull(AHEAD)) await this.#writing;
    if (this.#isFull(1)) this.#write(this.#isEnding);
    if (this.#failure) throw this.#failure.error;
  }

  taken({ receiptHandles, condemned }: Received, acknowledge: (received: Received) => void): void {
    // The handles only: a delivery holds its results, too.
    this.#acknowledgements.push({ received: { receiptHandles, condemned }, acknowledge });
    this.#arm(this.#limits.ms);
  }

  ending(): void {
    this.#isEnding = true;
  }

  async flush(): Promise<void> {
    await this.#writing;
    if (!this.#isEnding) this.#write(false);
    await this.#writing;
    clearTimeout(this.#timer);
    if (this.#failure) throw this.#failure.error;
    // A quiet collector may have been replaced long ago.
    await this.#options.state.check().catch((error: unknown) => {
      this.#failure ??= { error };
      throw error;
    });
  }

  /** Stores the last results, and that there will be no more. */
  async end(ended: RunEnd): Promise<void> {
    await this.#writing;
    clearTimeout(this.#timer);
    if (this.#failure) throw this.#failure.error;
    this.#isLast = true;
    const { state } = this.#options;
    const whole = this.#whole();
    await this.#store({ ...this.#take(), whole }, () =>
      state.replace({ ended, ...whole, ...this.#listing() }),
    );
  }

  #isFull(share: number): boolean {
    const { length, messages } = this.#limits;
    const waiting = this.#acknowledgements.length;
    return this.#buffer.length >= length * share || waiting >= messages * share;
  }

  #arm(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (!this.#isEnding) this.#write(false);
    }, ms);
  }

  /** Writes what waits, after what is being written. @param isUnlisted the record does not change */
  #write(isUnlisted: boolean): void {
    if (this.#failure) return;
    if (this.#writing) {
      this.#arm(AGAIN_MS);
      return;
    }
    const { ledger, state } = this.#options;
    // Between its entry in the ledger and its arrival here, no result may be claimed as stored.
    const isWhole = ledger.settled <= this.#cut + this.#buffer.count;
    if (!isUnlisted && !isWhole) {
      this.#arm(AGAIN_MS);
      return;
    }
    const cut = this.#take();
    if (!isUnlisted) cut.whole = this.#whole();
    const list = async () => {
      const hasNew = this.#unlisted.length > 0 || this.begun.length > this.#begunListed;
      const { whole } = cut;
      if (!whole || !hasNew) return;
      const kept = { statistics: whole.statistics, restarts: 0 };
      await state.replace({ ledger: whole.ledger, ...kept, ...this.#listing() });
    };
    this.#writing = this.#store(cut, list)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#writing = undefined;
      });
  }

  #take(): Cut {
    const cut = { buffer: this.#buffer, acknowledgements: this.#acknowledgements };
    this.#buffer = new PartBuffer();
    this.#acknowledgements = [];
    this.#cut += cut.buffer.count;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return { ...cut, whole: undefined };
  }

  /** What the record says of all results so far. */
  #whole(): NonNullable<Cut['whole']> {
    const { ledger } = this.#options;
    return { ledger: ledger.save(), statistics: this.statistics.save(ledger) };
  }

  /** The record's entries for the parts. */
  #listing(): Pick<StoredRun, 'parts' | 'columns' | 'sample' | 'begun' | 'used'> {
    const parts = [...this.#options.state.run.parts, ...this.#unlisted];
    const begun = this.begun.filter(({ index }) => !this.#options.ledger.has(index));
    this.#begunListed = this.begun.length;
    const hasSample = this.#isTable && this.#columns === undefined;
    const sample = hasSample ? this.#sample.save() : undefined;
    return { parts, columns: this.#columns, sample, begun, used: this.bill?.save() };
  }

  /** Writes the parts of a cut, lists them in the record, and deletes their messages. */
  async #store({ buffer, acknowledgements, whole }: Cut, list: () => Promise<void>) {
    await this.#writeParts(buffer);
    try {
      await list();
    } catch (error) {
      if (error instanceof Superseded) await this.#discard(error);
      throw error;
    }
    if (!whole) return;
    this.#unlisted = [];
    for (const { received, acknowledge } of acknowledgements) acknowledge(received);
  }

  get #isTable(): boolean {
    return this.#options.state.run.options.format !== 'jsonl';
  }

  async #writeParts({ ok, others }: PartBuffer): Promise<void> {
    const { format, compression, ordered } = this.#options.state.run.options;
    if (format !== 'jsonl') this.#findColumns(ok);
    const columns = this.#columns;
    if (ordered) {
      // They are merged at the end, and only then have their format.
      await this.#writeLines('results', ok, ok.sorted(), undefined);
    } else if (format === 'jsonl' || columns === undefined) {
      // Tables of the first results are made at the end, when their columns are known.
      await this.#writeLines('results', ok, ok.taken(), compression);
    } else if (ok.count > 0) {
      const table = { format, compression, columns };
      this.#unlisted.push(...(await writeTable(this.#nextPart(), ok.taken(), table)));
    }
    await this.#writeLines('failed', others, others.taken(), compression);
  }

  /** All tables of a run have the same columns, which follow from its first results. */
  #findColumns(ok: Kept): void {
    if (this.#columns) return;
    this.#sample.add(ok.lines());
    if (this.#sample.isFull || this.#isLast) this.#columns = this.#sample.columns();
  }

  async #writeLines(
    kind: 'results' | 'failed',
    kept: Kept,
    lines: Iterable<string>,
    compression: Compression | undefined,
  ): Promise<void> {
    if (kept.count === 0) return;
    const encoding = { format: 'jsonl', compression } as const;
    const written = await writePart({ ...this.#nextPart(), kind }, lines, encoding, kept);
    if (written) this.#unlisted.push(written);
  }

  #nextPart() {
    const { s3, folder, state } = this.#options;
    const number = String(++this.#written).padStart(6, '0');
    return { s3, folder, name: `${String(state.run.epoch).padStart(4, '0')}-${number}` };
  }

  /**
   * Deletes parts that will never be listed. The last write of this collector may have had its
   * effect, and only its answer was lost: then the record of the next collector lists its parts.
   * Parts that are left are deleted at the run's end.
   */
  async #discard({ run }: Superseded): Promise<void> {
    if (run === undefined) return;
    const { s3, folder } = this.#options;
    const listed = new Set(run.parts.map(({ key }) => key));
    for (const { key } of this.#unlisted) {
      if (listed.has(key)) continue;
      const place = { Bucket: folder.bucket, Key: `${folder.prefix}${key}` };
      await s3.send(new DeleteObjectCommand(place)).catch(() => {});
    }
  }
}
