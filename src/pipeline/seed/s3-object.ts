import { GetObjectCommand, type GetObjectCommandOutput, type S3Client } from '@aws-sdk/client-s3';
import { FanfoldError } from '../../errors.ts';
import { BEGINNING, type Position, type Source } from '../../inputs/source.ts';
import { backoffMs, wait } from '../../retry.ts';
import { MAX_PAYLOAD_BYTES } from '../messages/payload.ts';

/** An object in S3, opened for reading from a position. */
export interface OpenedObject {
  source: Source;
  /** The object's version: later reads must be of the same one. */
  etag: string;
  /** Size of the whole object, in bytes. */
  size: number;
}

const URL_FORM = /^s3:\/\/([^/]+)\/(.+)$/s;

/** @throws FanfoldError `BadInput` if it is not `s3://bucket/key` */
export function placeOf(url: string): { Bucket: string; Key: string } {
  const [, Bucket, Key] = URL_FORM.exec(url) ?? [];
  if (Bucket !== undefined && Key !== undefined) return { Bucket, Key };
  throw new FanfoldError(
    'BadInput',
    `The location of an object must be like s3://bucket/key; got "${url}".`,
  );
}

/** Tries in a row to read from a stream that breaks. */
const READ_TRIES = 5;

/**
 * Opens an object. It is read on demand, and never held in memory; a connection that breaks is
 * reopened where it broke.
 *
 * @throws FanfoldError `BadInput` if it does not exist, may not be read, or is not the version of
 * `etag`
 */
export async function openObject(
  s3: S3Client,
  url: string,
  from: Position = BEGINNING,
  etag?: string,
): Promise<OpenedObject> {
  const first = await get(s3, url, from.byte, etag);
  const version = etag ?? first.ETag ?? '';
  const size = sizeOf(first);
  let stream = first.Body;
  let closed = false;
  async function* chunks(): AsyncGenerator<Buffer, void> {
    let at = from.byte;
    for (let tries = 1; ; tries++) {
      try {
        for await (const chunk of stream as unknown as AsyncIterable<Buffer>) {
          yield chunk;
          at += chunk.length;
          tries = 1;
        }
        if (at >= size) return;
        throw new Error(`it ended after ${at} of ${size} bytes`);
      } catch (error) {
        if (closed) return;
        // The error may pass: the seed's invoker tries again, or Lambda does.
        if (tries >= READ_TRIES) throw error;
        await wait(backoffMs(tries));
        stream = (await get(s3, url, at, version)).Body;
      }
    }
  }
  const source: Source = {
    name: url,
    maxInputBytes: MAX_PAYLOAD_BYTES,
    from: from.byte > 0 ? from : undefined,
    chunks,
    close() {
      closed = true;
      (stream as unknown as { destroy?(): void } | undefined)?.destroy?.();
    },
  };
  return { source, etag: version, size };
}

async function get(
  s3: S3Client,
  url: string,
  from: number,
  etag: string | undefined,
): Promise<GetObjectCommandOutput> {
  try {
    return await s3.send(
      new GetObjectCommand({
        ...placeOf(url),
        Range: from > 0 ? `bytes=${from}-` : undefined,
        IfMatch: etag,
      }),
    );
  } catch (error) {
    const why = reasonOf(error);
    throw why === undefined ? error : unreadable(url, why, error);
  }
}

function sizeOf({ ContentRange, ContentLength = 0 }: GetObjectCommandOutput): number {
  const [, whole] = /\/(\d+)$/.exec(ContentRange ?? '') ?? [];
  return whole === undefined ? ContentLength : Number(whole);
}

const REASONS: Readonly<Record<string, string>> = {
  NoSuchKey: 'there is no such object',
  NotFound: 'there is no such object',
  NoSuchBucket: 'there is no such bucket',
  InvalidBucketName: 'there is no such bucket',
  AccessDenied:
    'access is denied. Add its bucket to `inputBuckets` of the deployment, and check that the bucket allows access and that the object exists',
  Forbidden: 'access is denied. Add its bucket to `inputBuckets` of the deployment',
  InvalidObjectState: 'it is archived: restore it first',
  PermanentRedirect: 'its bucket is in another region than the deployment',
  AuthorizationHeaderMalformed: 'its bucket is in another region than the deployment',
  PreconditionFailed: 'it changed while its inputs were being read',
  InvalidRange: 'it changed while its inputs were being read',
};

/** Reason for an unreadable object; undefined for errors that may pass or have other causes. */
function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  const named = REASONS[error.name];
  if (named !== undefined) return named;
  return $metadata?.httpStatusCode === 403 ? `${REASONS.AccessDenied} (${error.name})` : undefined;
}

function unreadable(url: string, why: string, cause: unknown): FanfoldError {
  return new FanfoldError('BadInput', `${url} cannot be read: ${why}.`, { cause });
}
