import { gunzipSync, gzipSync } from 'node:zlib';
import { FanfoldError } from '../../errors.ts';
import type { Columns } from '../../outputs/columns.ts';
import type { SavedSample } from '../../outputs/columns-of.ts';
import type { StoredRunOptions } from '../messages/collector-event.ts';
import type { InputsMark } from '../messages/inputs-mark.ts';
import type { BegunNotice } from '../messages/notice.ts';
import type { SavedLedger } from '../run/ledger.ts';

const VERSION = 1;

/** What the results in a part are: `other` results are `ok`, but do not fit the part's columns. */
export type PartKind = 'results' | 'failed' | 'other';

/** One object of results. */
export interface Part {
  /** Below the run's folder. */
  key: string;
  kind: PartKind;
  bytes: number;
  results: number;
  /** Lowest and highest index among its results. */
  indexes: [first: number, last: number];
  /** Base64. */
  sha256: string;
  /** Bytes of its zstd frames, if there are several. */
  frames?: number[] | undefined;
  /** The folder that has it, if that is the one of a run that this one continues. */
  folder?: string | undefined;
}

/**
 * The record of a run whose results are stored in S3: the only truth about it. A collector replaces
 * it by compare-and-swap, and deletes a result's message only afterwards.
 */
export interface StoredRun {
  options: StoredRunOptions;
  /** Number of collectors that the run has had. Each raises it, which excludes those before. */
  epoch: number;
  /** Id of the present collector. */
  owner: string;
  /** Raised by each write, so that a writer recognizes its own. */
  serial: number;
  /** Restarts of the collector by the watchdog, since the last progress or handover. */
  restarts: number;
  /** True if restarts did not help: the run must be collected by hand. */
  isGivenUp: boolean;
  parts: Part[];
  ledger: SavedLedger;
  /** Notices of inputs without a result that a worker began: they tell poison inputs. */
  begun: BegunNotice[];
  /** Set once all results are stored. */
  ended?: RunEnd | undefined;
  /** What the run has used so far, as `RunBill` saves it. */
  used?: string | undefined;
  /** Statistics of the results, as `RunStatistics` saves them; missing in runs of earlier versions. */
  statistics?: Uint8Array | undefined;
  /** Columns of parts in CSV or Parquet, once they are known. */
  columns?: Columns | undefined;
  /** Until then, the first results, from which the columns follow. */
  sample?: SavedSample | undefined;
  /** Key of what a collector has saved of a merge that the next one continues. */
  merge?: string | undefined;
  /** Steps after the end that are done. */
  done: { started?: boolean; mergeTries?: number; merged?: boolean; announced?: boolean };
}

export interface RunEnd {
  at: number;
  cause?: string | undefined;
  /** Mark of its inputs, if it is known. */
  inputs?: InputsMark | undefined;
}

/** The record of a new run. */
export function newStoredRun(options: StoredRunOptions): StoredRun {
  const none = new Uint8Array();
  return {
    options,
    ...{ epoch: 0, owner: '', serial: 0, restarts: 0, isGivenUp: false, parts: [] },
    ledger: { inputs: 0, ok: 0, failed: 0, cancelled: 0, settled: none, failures: none },
    ...{ begun: [], done: {} },
  };
}

/** A record as an object's content: a line of JSON, the compressed bitmaps, then the statistics. */
export function encodeRun({ ledger, statistics, ...run }: StoredRun): Uint8Array {
  const { settled, failures, ...counts } = ledger;
  const bitmaps = [settled, failures].map((bitmap) => gzipSync(bitmap, { level: 1 }));
  const lengths = bitmaps.map(({ length }) => length);
  const head = JSON.stringify({ v: VERSION, ...run, ledger: counts, bitmaps: lengths });
  return Buffer.concat([Buffer.from(`${head}\n`), ...bitmaps, statistics ?? new Uint8Array()]);
}

/** @throws FanfoldError `BadMessage` when it is not a record of this version */
export function decodeRun(content: Uint8Array, url: string): StoredRun {
  const end = content.indexOf(10);
  try {
    const { v, bitmaps, ledger, ...run } = JSON.parse(
      Buffer.from(content.subarray(0, end)).toString(),
    );
    if (v === VERSION) {
      const [settledLength, failuresLength] = bitmaps as [number, number];
      const failuresAt = end + 1 + settledLength;
      const settled = gunzipSync(content.subarray(end + 1, failuresAt));
      const statisticsAt = failuresAt + failuresLength;
      const failures = gunzipSync(content.subarray(failuresAt, statisticsAt));
      const statistics = content.subarray(statisticsAt);
      const known = statistics.length > 0 ? { statistics } : {};
      return { ...run, ...known, ledger: { ...ledger, settled, failures } };
    }
  } catch (error) {
    throw notARecord(url, error);
  }
  throw notARecord(url);
}

function notARecord(url: string, cause?: unknown): FanfoldError {
  return new FanfoldError(
    'BadMessage',
    `${url} must be the record of a run, of version ${VERSION}; got something else. Was it written by another version of Fanfold, or by another program?`,
    { cause },
  );
}
