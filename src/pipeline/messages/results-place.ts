import { FanfoldError, valueText } from '../../errors.ts';
import type { Compression, Format } from '../../outputs/formats.ts';
import type { FailureCode } from './result.ts';

/** Results that the deployment's collector function writes to S3. */
export interface S3Results {
  /**
   * `s3://bucket/prefix/`: the run's results are written below it, in a folder named by the run id.
   * `s3://` alone is the deployment's own bucket.
   */
  s3: string;
  /** @default 'jsonl' */
  format?: Format | undefined;
  /** @default none */
  compression?: Compression | undefined;
  /** Whether the results are merged into one object in input order at the end. @default false */
  ordered?: boolean | undefined;
}

/** Which failed inputs of an earlier run run again: all, or those with one of these codes. */
export type RetryFailed = true | readonly FailureCode[];

/** How a run continues one that has ended: it runs only the inputs whose results do not stay. */
export interface Continuing {
  /**
   * The folder of the earlier run, `s3://bucket/prefix/<runId>/`. Its results that are `ok` stay.
   * @default it continues none
   */
  continues?: string | undefined;
  /** @default failed results stay, too */
  retryFailed?: RetryFailed | undefined;
}

/** The place that stands for the deployment's own bucket. */
export const OWN_BUCKET = 's3://';

/** Longest place: it is a tag of the run's queue, of which AWS allows 256 characters. */
const MAX_PLACE = 256;

/** Characters that a tag may hold: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html */
const TAGGABLE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** A folder of S3: its objects' keys begin with `prefix`, which is empty or ends with a slash. */
export interface S3Folder {
  bucket: string;
  prefix: string;
}

/** The parts of `s3://bucket/prefix/`; a last slash is added. @throws FanfoldError `BadInput` */
export function folderOf(url: string): S3Folder {
  const [, bucket, path = ''] =
    /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(url) ?? [];
  if (bucket === undefined) {
    throw new FanfoldError(
      'BadInput',
      `Results in S3 must have a place like "s3://bucket/prefix/"; got ${valueText(url)}.`,
    );
  }
  const prefix = path === '' || path.endsWith('/') ? path : `${path}/`;
  if (prefix.startsWith('/') || prefix.includes('//') || !TAGGABLE.test(prefix)) {
    throw new FanfoldError(
      'BadInput',
      `The prefix of results in S3 must have letters, digits, spaces and _ . : / = + - @ only, and no empty folder; got ${valueText(url)}.`,
    );
  }
  return { bucket, prefix };
}

/** The folder of a run's results. @throws FanfoldError `BadInput` when its name is too long */
export function runFolder({ bucket, prefix }: S3Folder, runId: string): S3Folder {
  const folder = { bucket, prefix: `${prefix}${runId}/` };
  const { length } = urlOf(folder);
  if (length <= MAX_PLACE) return folder;
  throw new FanfoldError(
    'BadInput',
    `The place of a run's results must have at most ${MAX_PLACE} characters; got ${length}: ${urlOf(folder)}. Use a shorter prefix.`,
  );
}

export function urlOf({ bucket, prefix }: S3Folder): string {
  return `s3://${bucket}/${prefix}`;
}

/** Whether a folder is one of these, or in one of them. */
export function isWithin({ bucket, prefix }: S3Folder, places: readonly S3Folder[]): boolean {
  return places.some((place) => place.bucket === bucket && prefix.startsWith(place.prefix));
}
