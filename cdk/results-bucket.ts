import { Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type IBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { bucketPlacesOf, urlOf } from './bucket-places.ts';
import { leastBytesOf } from './flattened.ts';
import type { BucketPrefix, FanfoldProps } from './props.ts';
import { refuse, shown } from './refuse.ts';

/** Prefix of results: each run has a folder, named by its id. */
export const RUNS = 'runs/';

/** Prefix of inputs and outputs that do not fit in a message. */
export const PAYLOADS = 'payloads/';

/** The task queue's tag from which clients and machines know the bucket. */
export const BUCKET_TAG = 'fanfold-bucket';

/** The longest deadline of a run, 13 days, and a day more. */
const PAYLOADS_KEPT = Duration.days(14);

/**
 * Age at which S3 discards an incomplete upload. An ordered run is merged by one upload, over
 * several invocations: a collector that stops on a Friday may be repaired on a Monday.
 */
const UPLOADS_KEPT = Duration.days(7);

/** The bucket for results and payloads: the given one, or a new one. */
export function resultsBucket(
  scope: Construct,
  { bucket, encryptionKey, removalPolicy = RemovalPolicy.RETAIN }: FanfoldProps,
): IBucket {
  if (bucket !== undefined) return bucket;
  const made = new Bucket(scope, 'Bucket', {
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    enforceSSL: true,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    ...(encryptionKey
      ? // A key of the bucket saves most calls of KMS, each of which costs.
        { encryption: BucketEncryption.KMS, encryptionKey, bucketKeyEnabled: true }
      : { encryption: BucketEncryption.S3_MANAGED }),
    versioned: false,
    lifecycleRules: [
      { id: 'payloads', prefix: PAYLOADS, expiration: PAYLOADS_KEPT },
      { id: 'uploads', abortIncompleteMultipartUploadAfter: UPLOADS_KEPT },
    ],
    // CloudFormation deletes only an empty bucket. Fanfold never empties it: results are the user's.
    removalPolicy,
  });
  // CDK's own class does not fit its interface under exactOptionalPropertyTypes.
  return made as IBucket;
}

/**
 * Room for `resultPlaces`, in bytes: the functions have them in their environment, and the policy of
 * operators, which AWS limits to 6,144 characters, names each twice.
 */
const MOST_PLACES_BYTES = 960;

/** Names of buckets that requests can name. */
const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Folders that requests can name: a run's place is a tag of its queue. */
const PREFIX = /^(?!\/)(?!.*\/\/)[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** @throws FanfoldPropsError when no run can have its results at a place */
function checkPlace(scope: Construct, { bucket, prefix }: BucketPrefix, own: IBucket): void {
  const { bucketName } = bucket;
  if (!Token.isUnresolved(bucketName) && !BUCKET_NAME.test(bucketName)) {
    refuse(
      scope,
      `a bucket in \`resultPlaces\` must have a name of small letters, digits, "-" and "."; got ${shown(bucketName)}.`,
    );
  }
  if (!PREFIX.test(prefix)) {
    refuse(
      scope,
      `a prefix in \`resultPlaces\` must have letters, digits, spaces and _ . : / = + - @ only, must not begin with "/", and must have no empty folder; got ${shown(prefix)}.`,
    );
  }
  const textOf = (name: string) => JSON.stringify(Stack.of(scope).resolve(name));
  const isOwn = textOf(bucketName) === textOf(own.bucketName);
  if (isOwn && `${prefix}/`.startsWith(PAYLOADS)) {
    refuse(
      scope,
      `\`resultPlaces\` must not name "${PAYLOADS}" in the deployment's own bucket, where inputs and outputs are kept for 14 days only; got ${shown(prefix)}. Name another prefix, such as "results/".`,
    );
  }
}

/**
 * The places that the collector function may write results to; none if there is no such function.
 *
 * @throws FanfoldPropsError when there are too many, one that requests can't name, or places and no
 * function
 */
export function resultPlacesOf(
  scope: Construct,
  { s3Results = true, resultPlaces }: FanfoldProps,
  bucket: IBucket,
): BucketPrefix[] {
  const others = bucketPlacesOf(scope, 'resultPlaces', resultPlaces).map((place) => {
    checkPlace(scope, place, bucket);
    // Requests name folders: `abc` is `abc/`.
    const { prefix } = place;
    return prefix === '' || prefix.endsWith('/') ? place : { ...place, prefix: `${prefix}/` };
  });
  const urls = others.map(urlOf);
  const bytes = leastBytesOf(Stack.of(scope).resolve(urls));
  if (bytes > MOST_PLACES_BYTES) {
    refuse(
      scope,
      `\`resultPlaces\` has ${bytes} bytes as a list of URLs; policies and the functions' environment have room for ${MOST_PLACES_BYTES}. Name fewer buckets and prefixes, such as one bucket for all results.`,
    );
  }
  if (s3Results) return [{ bucket, prefix: RUNS }, ...others];
  if (others.length === 0) return [];
  return refuse(
    scope,
    '`resultPlaces` are for the collector function, which `s3Results: false` leaves out: leave one of them out.',
  );
}
