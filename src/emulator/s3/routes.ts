import type { ServiceRequest } from '../transport/index.ts';
import { createBucket, headBucket, listBuckets } from './actions/buckets.ts';
import { listObjects } from './actions/listing.ts';
import {
  deleteObject,
  deleteObjects,
  getObject,
  headObject,
  putObject,
} from './actions/objects.ts';
import {
  abortUpload,
  completeUpload,
  createUpload,
  listUploads,
  uploadPart,
} from './actions/uploads.ts';
import type { Action } from './call.ts';
import { notImplemented, S3Error } from './errors.ts';

interface Place {
  /** Empty if the request is about all buckets. */
  readonly bucket: string;
  /** Empty if the request is about a bucket. */
  readonly key: string;
}

interface Route {
  readonly action: Action;
  /** The permission that it needs: https://docs.aws.amazon.com/AmazonS3/latest/userguide/list_amazons3.html */
  readonly permission: string;
}

/** By method, place (all buckets, a bucket or an object), and the parameter that tells actions of a method apart. */
const ROUTES: Readonly<Record<string, Route>> = {
  'GET buckets': { action: listBuckets, permission: 's3:ListAllMyBuckets' },
  'PUT bucket': { action: createBucket, permission: 's3:CreateBucket' },
  'HEAD bucket': { action: headBucket, permission: 's3:ListBucket' },
  'GET bucket': { action: listObjects, permission: 's3:ListBucket' },
  'GET bucket uploads': { action: listUploads, permission: 's3:ListBucketMultipartUploads' },
  'POST bucket delete': { action: deleteObjects, permission: 's3:DeleteObject' },
  'GET object': { action: getObject, permission: 's3:GetObject' },
  'HEAD object': { action: headObject, permission: 's3:GetObject' },
  'PUT object': { action: putObject, permission: 's3:PutObject' },
  'DELETE object': { action: deleteObject, permission: 's3:DeleteObject' },
  'POST object uploads': { action: createUpload, permission: 's3:PutObject' },
  'PUT object uploadId': { action: uploadPart, permission: 's3:PutObject' },
  'POST object uploadId': { action: completeUpload, permission: 's3:PutObject' },
  'DELETE object uploadId': { action: abortUpload, permission: 's3:AbortMultipartUpload' },
};

/** Parameters that belong to an action, or to the signature; any other names another action. */
const PARAMETERS =
  /^(x-id|list-type|prefix|delimiter|max-keys|continuation-token|start-after|encoding-type|fetch-owner|partNumber|max-uploads|x-amz-.*)$/i;

/** Headers that would change what an action does. */
const UNSUPPORTED = ['x-amz-copy-source', 'x-amz-tagging', 'x-amz-object-lock-mode'];

/** @throws S3Error `NotImplemented` */
export function routeOf({ method, query, headers }: ServiceRequest, at: Place): Route {
  const place = at.bucket === '' ? 'buckets' : at.key === '' ? 'bucket' : 'object';
  const others = [...query.keys()].filter((name) => !PARAMETERS.test(name));
  const name = [method, place, ...others].join(' ');
  const route = Object.hasOwn(ROUTES, name) ? ROUTES[name] : undefined;
  const header = UNSUPPORTED.find((one) => headers[one] !== undefined);
  if (header !== undefined) throw notImplemented(`the header ${header}`);
  if (route === undefined) throw notImplemented(`the action "${name}"`);
  return route;
}

const PATH = /^\/([^/]*)\/?(.*)$/s;

/** Names of hosts in front of which a bucket's name may stand. */
const VIRTUAL = /^(.+)\.(?:localhost|s3[.-][a-z\d.-]*amazonaws\.com(?:\.cn)?)(?::\d+)?$/i;

const MAX_KEY_BYTES = 1024;

/** The bucket and the key of a request, in the path or with the bucket in the host's name. */
export function placeOf({ path, sentPath = path, headers }: ServiceRequest): Place {
  const [, virtual] = VIRTUAL.exec(headers.host ?? '') ?? [];
  const whole = virtual === undefined ? sentPath : `/${virtual}${sentPath}`;
  const [, bucket = '', encoded = ''] = PATH.exec(whole) ?? [];
  const key = decoded(encoded);
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new S3Error('KeyTooLongError', 'Your key is too long');
  }
  return { bucket, key };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error('InvalidURI', "Couldn't parse the specified URI.");
  }
}
