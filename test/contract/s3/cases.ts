import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusal, TestBucket } from './bucket.ts';

/** An S3, and a way to call it. */
export interface S3World {
  readonly name: string;
  /** Resolves once it answers. */
  open(): Promise<S3Client>;
  close(): Promise<void>;
  /** Size of the longest object that is put, in MiB. */
  readonly longMib: number;
  /** Names of the tests that it is known to fail, because it differs from AWS. */
  readonly differs?: readonly string[];
}

const MIB = 1024 * 1024;

const PARALLEL = 100;

const md5 = (content: string | Uint8Array) =>
  `"${createHash('md5').update(content).digest('hex')}"`;

/** The parts of S3 that Fanfold uses, as AWS documents them. */
export function s3Contract(world: S3World): void {
  describe(world.name, () => {
    let client: S3Client;
    beforeAll(async () => {
      client = await world.open();
    });
    afterAll(async () => {
      client?.destroy();
      await world.close();
    });

    const check = (name: string, run: (bucket: TestBucket) => Promise<void>) =>
      it.skipIf(world.differs?.includes(name))(name, async () => {
        const Bucket = `contract-${randomBytes(6).toString('hex')}`;
        await client.send(new CreateBucketCommand({ Bucket }));
        await run(new TestBucket(client, Bucket));
      });
    objectCases(check, world.longMib);
    conditionCases(check);
    listingCases(check);
    uploadCases(check);
  });
}

type Check = (name: string, run: (bucket: TestBucket) => Promise<void>) => void;

const ODD_KEYS = [
  'a b',
  'a+b',
  'a%20b',
  'a%',
  'é/ü/\u{1f600}',
  'a/../b',
  'a/./b',
  'a//b',
  'a/',
  '?a=b&c#d',
  '"<a>&amp;\'',
  "!*'()",
  'a\\b',
  'x'.repeat(1024),
];

function objectCases(check: Check, longMib: number): void {
  check('an object comes back as it was put', async (bucket) => {
    const content = randomBytes(10_000);
    const put = await bucket.put('runs/1/state', content, {
      ContentType: 'application/json',
      CacheControl: 'no-store',
      Metadata: { epoch: '7' },
    });
    expect(put.ETag).toBe(md5(content));
    const facts = {
      ETag: md5(content),
      ContentLength: 10_000,
      ContentType: 'application/json',
      CacheControl: 'no-store',
      Metadata: { epoch: '7' },
    };
    expect(await bucket.head('runs/1/state')).toMatchObject(facts);
    const got = await bucket.get('runs/1/state');
    expect(got).toMatchObject(facts);
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? [])).toEqual(content);
    expect(Math.abs(Date.now() - Number(got.LastModified))).toBeLessThan(60_000);
  });

  check('a put replaces an object, and a delete removes it', async (bucket) => {
    await bucket.put('a', 'one', { Metadata: { old: 'yes' } });
    await bucket.put('a', 'two');
    expect(await bucket.text('a')).toBe('two');
    expect((await bucket.head('a')).Metadata).toEqual({});
    expect((await bucket.delete('a')).$metadata.httpStatusCode).toBe(204);
    expect((await bucket.delete('a')).$metadata.httpStatusCode).toBe(204);
    expect(await refusal(bucket.get('a'))).toEqual({ name: 'NoSuchKey', status: 404 });
  });

  check('a body may be empty, a text, or a stream', async (bucket) => {
    const stream = () => Readable.from([Buffer.from('one,'), Buffer.from('two')]);
    for (const [body, text, more] of [
      [new Uint8Array(), '', {}],
      ['text \u{1f600}', 'text \u{1f600}', {}],
      [stream(), 'one,two', { ContentLength: 7 }],
    ] as const) {
      const { ETag } = await bucket.put('a', body, more);
      expect(ETag).toBe(md5(text));
      expect(await bucket.text('a')).toBe(text);
    }
  });

  check('a long object goes through a stream in both directions', async (bucket) => {
    const pieces = Array.from({ length: longMib }, (_, at) => Buffer.alloc(MIB, at));
    const sent = createHash('md5');
    for (const piece of pieces) sent.update(piece);
    const ETag = `"${sent.digest('hex')}"`;
    const ContentLength = longMib * MIB;
    const put = await bucket.put('long', Readable.from(pieces), { ContentLength });
    expect(put.ETag).toBe(ETag);
    const received = createHash('md5');
    const { Body } = await bucket.get('long');
    for await (const chunk of Body as AsyncIterable<Uint8Array>) received.update(chunk);
    expect(`"${received.digest('hex')}"`).toBe(ETag);
  });

  check('a key may have any character', async (bucket) => {
    for (const key of ODD_KEYS) await bucket.put(key, `at ${key}`);
    for (const key of ODD_KEYS) {
      expect(await bucket.text(key)).toBe(`at ${key}`);
      expect(await bucket.head(key)).toMatchObject({ ContentLength: Buffer.byteLength(key) + 3 });
    }
    const inOrder = ODD_KEYS.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(await bucket.keys()).toEqual(inOrder);
    const Delete = { Objects: ODD_KEYS.map((Key) => ({ Key })) };
    const { Errors = [] } = await bucket.client.send(
      new DeleteObjectsCommand({ Bucket: bucket.name, Delete }),
    );
    expect(Errors).toEqual([]);
    expect(await bucket.keys()).toEqual([]);
  });

  check('many objects are deleted at once', async (bucket) => {
    for (const key of ['a', 'b', 'c']) await bucket.put(key, 'x');
    const Objects = ['a', 'c', 'missing'].map((Key) => ({ Key }));
    const { Deleted = [] } = await bucket.client.send(
      new DeleteObjectsCommand({ Bucket: bucket.name, Delete: { Objects } }),
    );
    expect(Deleted.map(({ Key }) => Key).toSorted()).toEqual(['a', 'c', 'missing']);
    expect(await bucket.keys()).toEqual(['b']);
  });

  check('a range is a part of an object', async (bucket) => {
    await bucket.put('digits', '0123456789');
    for (const [Range, text, ContentRange] of [
      ['bytes=2-4', '234', 'bytes 2-4/10'],
      ['bytes=7-', '789', 'bytes 7-9/10'],
      ['bytes=-2', '89', 'bytes 8-9/10'],
      ['bytes=8-100', '89', 'bytes 8-9/10'],
    ] as const) {
      const got = await bucket.get('digits', { Range });
      expect(got).toMatchObject({ ContentRange, ContentLength: text.length });
      expect(got.$metadata.httpStatusCode).toBe(206);
      expect(await got.Body?.transformToString()).toBe(text);
    }
  });

  check('a range after the end is refused', async (bucket) => {
    await bucket.put('digits', '0123456789');
    const beyond = bucket.get('digits', { Range: 'bytes=10-' });
    expect(await refusal(beyond)).toEqual({ name: 'InvalidRange', status: 416 });
  });

  check('buckets and keys that do not exist are refused', async (bucket) => {
    const { client } = bucket;
    expect(await refusal(bucket.get('none'))).toEqual({ name: 'NoSuchKey', status: 404 });
    expect(await refusal(bucket.head('none'))).toEqual({ name: 'NotFound', status: 404 });
    const nowhere = { Bucket: `${bucket.name}-none`, Key: 'a' };
    const noBucket = { name: 'NoSuchBucket', status: 404 };
    expect(await refusal(client.send(new GetObjectCommand(nowhere)))).toEqual(noBucket);
    expect(await refusal(client.send(new PutObjectCommand({ ...nowhere, Body: 'x' })))).toEqual(
      noBucket,
    );
    const head = (Bucket: string) => client.send(new HeadBucketCommand({ Bucket }));
    expect(await refusal(head(nowhere.Bucket))).toEqual({ name: 'NotFound', status: 404 });
    expect(await refusal(head(bucket.name))).toBe(undefined);
  });
}

const FAILED = { name: 'PreconditionFailed', status: 412 };

function conditionCases(check: Check): void {
  check('If-None-Match creates an object only once', async (bucket) => {
    await bucket.put('state', 'first', { IfNoneMatch: '*' });
    expect(await refusal(bucket.put('state', 'second', { IfNoneMatch: '*' }))).toEqual(FAILED);
    expect(await bucket.text('state')).toBe('first');
    await bucket.delete('state');
    expect(await refusal(bucket.put('state', 'third', { IfNoneMatch: '*' }))).toBe(undefined);
  });

  check('If-Match replaces only the version that it names', async (bucket) => {
    const first = await bucket.put('state', 'first');
    const second = await bucket.put('state', 'second', { IfMatch: first.ETag });
    expect(await refusal(bucket.put('state', 'x', { IfMatch: first.ETag }))).toEqual(FAILED);
    expect(await bucket.text('state')).toBe('second');
    const unquoted = second.ETag?.replaceAll('"', '');
    expect(await refusal(bucket.put('state', 'third', { IfMatch: unquoted }))).toBe(undefined);
  });

  check('If-Match does not create an object', async (bucket) => {
    const { ETag } = await bucket.put('state', 'first');
    await bucket.delete('state');
    expect(await refusal(bucket.put('state', 'second', { IfMatch: ETag }))).toEqual({
      name: 'NoSuchKey',
      status: 404,
    });
    expect(await bucket.keys()).toEqual([]);
  });

  check('one of many that swap the same version wins', async (bucket) => {
    const { ETag } = await bucket.put('state', 'none');
    await expectOneWinner(bucket, { IfMatch: ETag });
  });

  check('one of many that create an object wins', async (bucket) => {
    await expectOneWinner(bucket, { IfNoneMatch: '*' });
  });

  check('a get may name the version', async (bucket) => {
    const { ETag } = await bucket.put('a', 'one');
    expect(await bucket.text('a', { IfMatch: ETag })).toBe('one');
    expect(await refusal(bucket.get('a', { IfNoneMatch: ETag }))).toMatchObject({ status: 304 });
    await bucket.put('a', 'two');
    expect(await refusal(bucket.get('a', { IfMatch: ETag }))).toEqual(FAILED);
    expect(await bucket.text('a', { IfNoneMatch: ETag })).toBe('two');
  });

  check('a multipart upload may be the only one to create its object', async (bucket) => {
    const [one, other] = [await bucket.begin('big'), await bucket.begin('big')];
    const [first, second] = [await one.part(1, 'first'), await other.part(1, 'second')];
    await one.complete([first], { IfNoneMatch: '*' });
    expect(await refusal(other.complete([second], { IfNoneMatch: '*' }))).toEqual(FAILED);
    expect(await bucket.text('big')).toBe('first');
  });
}

async function expectOneWinner(
  bucket: TestBucket,
  condition: { IfMatch?: string | undefined; IfNoneMatch?: string },
): Promise<void> {
  const all = Array.from({ length: PARALLEL }, (_, at) =>
    refusal(bucket.put('state', `by ${at}`, condition)),
  );
  const ends = await Promise.all(all);
  const winners = ends.flatMap((end, at) => (end === undefined ? [at] : []));
  expect(winners).toHaveLength(1);
  // AWS answers with 409 if another change is on its way, so that the caller may try again.
  for (const end of ends) if (end) expect([409, 412]).toContain(end.status);
  expect(await bucket.text('state')).toBe(`by ${winners[0]}`);
}

function listingCases(check: Check): void {
  check('a listing comes in pages', async (bucket) => {
    const keys = Array.from({ length: 25 }, (_, at) => `runs/${String(at).padStart(2, '0')}`);
    await Promise.all([...keys, 'other', 'runs'].map((key) => bucket.put(key, key)));
    const found: string[][] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await bucket.list({ Prefix: 'runs/', MaxKeys: 10, ContinuationToken });
      expect(page.KeyCount).toBe(page.Contents?.length);
      found.push((page.Contents ?? []).map(({ Key = '' }) => Key));
      ContinuationToken = page.NextContinuationToken;
      expect(page.IsTruncated).toBe(ContinuationToken !== undefined);
    } while (ContinuationToken !== undefined);
    expect(found.map((page) => page.length)).toEqual([10, 10, 5]);
    expect(found.flat()).toEqual(keys);
    expect(await bucket.keys({ Prefix: 'runs/', StartAfter: 'runs/22' })).toEqual(keys.slice(23));
    const [first] = (await bucket.list({ Prefix: 'runs/00' })).Contents ?? [];
    expect(first).toMatchObject({ Key: 'runs/00', Size: 7, ETag: md5('runs/00') });
  });

  check('keys with a common prefix are one entry', async (bucket) => {
    const keys = [
      'a',
      'runs/1/state',
      'runs/1/results/1',
      'runs/2/state',
      'runs/end',
      'z/1',
      'z/2',
    ];
    for (const key of keys) await bucket.put(key, 'x');
    const entries = async (more: Parameters<typeof bucket.list>[0]) => {
      const { Contents = [], CommonPrefixes = [] } = await bucket.list({ Delimiter: '/', ...more });
      return [Contents.map(({ Key }) => Key), CommonPrefixes.map(({ Prefix }) => Prefix)];
    };
    expect(await entries({})).toEqual([['a'], ['runs/', 'z/']]);
    expect(await entries({ Prefix: 'runs/' })).toEqual([['runs/end'], ['runs/1/', 'runs/2/']]);
  });

  check('a page may end with a common prefix', async (bucket) => {
    for (const key of ['a/1', 'a/2', 'b/1', 'b/2', 'c']) await bucket.put(key, 'x');
    const found: unknown[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await bucket.list({ Delimiter: '/', MaxKeys: 1, ContinuationToken });
      found.push(page.CommonPrefixes?.[0]?.Prefix ?? page.Contents?.[0]?.Key);
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    expect(found).toEqual(['a/', 'b/', 'c']);
  });

  check('keys are in the order of their bytes', async (bucket) => {
    // In UTF-16, which JavaScript compares, the last two are the other way round.
    const keys = ['A', 'B', 'a', 'a!', 'a/', 'aa', 'é', '\uff5e', '\u{1f600}'];
    for (const key of keys.toReversed()) await bucket.put(key, 'x');
    expect(await bucket.keys()).toEqual(keys);
  });
}

function uploadCases(check: Check): void {
  check('an upload joins its parts', async (bucket) => {
    const upload = await bucket.begin('big', {
      ContentType: 'text/plain',
      Metadata: { parts: '2' },
    });
    const [first, last] = [randomBytes(5 * MIB), Buffer.from('the end')];
    const second = await upload.part(2, last);
    const parts = [await upload.part(1, first), second];
    expect(await bucket.keys()).toEqual([]);
    const { ETag } = await upload.complete(parts);
    const digest = createHash('md5');
    for (const part of [first, last]) digest.update(createHash('md5').update(part).digest());
    expect(ETag).toBe(`"${digest.digest('hex')}-2"`);
    const got = await bucket.get('big');
    const facts = { ContentType: 'text/plain', Metadata: { parts: '2' } };
    expect(got).toMatchObject({ ...facts, ETag, ContentLength: 5 * MIB + last.length });
    const bytes = Buffer.from((await got.Body?.transformToByteArray()) ?? []);
    expect(bytes.equals(Buffer.concat([first, last]))).toBe(true);
  });

  check('a part may be sent again', async (bucket) => {
    const upload = await bucket.begin('big');
    await upload.part(1, 'wrong');
    await upload.complete([await upload.part(1, 'right')]);
    expect(await bucket.text('big')).toBe('right');
  });

  check('an upload is listed until it ends', async (bucket) => {
    const [one, other] = [await bucket.begin('a/1'), await bucket.begin('b/2')];
    const list = async (Prefix?: string) => {
      const command = new ListMultipartUploadsCommand({ Bucket: bucket.name, Prefix });
      const { Uploads = [] } = await bucket.client.send(command);
      return Uploads.map(({ Key, UploadId }) => [Key, UploadId]);
    };
    expect(await list()).toEqual([
      ['a/1', one.id],
      ['b/2', other.id],
    ]);
    expect(await list('b/')).toEqual([['b/2', other.id]]);
    await bucket.client.send(new AbortMultipartUploadCommand(one.at));
    await other.complete([await other.part(1, 'x')]);
    expect(await list()).toEqual([]);
  });

  check('an upload that has ended is refused', async (bucket) => {
    const upload = await bucket.begin('big');
    const part = await upload.part(1, 'x');
    await bucket.client.send(new AbortMultipartUploadCommand(upload.at));
    const gone = { name: 'NoSuchUpload', status: 404 };
    expect(await refusal(upload.part(2, 'y'))).toEqual(gone);
    expect(await refusal(upload.complete([part]))).toEqual(gone);
    expect(await bucket.keys()).toEqual([]);
  });

  check('parts that were not sent are refused', async (bucket) => {
    const upload = await bucket.begin('big');
    const part = await upload.part(1, 'x');
    const wrong = { name: 'InvalidPart', status: 400 };
    expect(await refusal(upload.complete([{ ...part, ETag: md5('y') }]))).toEqual(wrong);
    expect(await refusal(upload.complete([{ ...part, PartNumber: 2 }]))).toEqual(wrong);
  });

  check('parts out of order are refused', async (bucket) => {
    const upload = await bucket.begin('big');
    const parts = [await upload.part(2, randomBytes(5 * MIB)), await upload.part(1, 'x')];
    expect(await refusal(upload.complete(parts))).toEqual({
      name: 'InvalidPartOrder',
      status: 400,
    });
  });

  check('a part that is too small is refused, except for the last one', async (bucket) => {
    const upload = await bucket.begin('big');
    const parts = [await upload.part(1, 'x'), await upload.part(2, 'y')];
    expect(await refusal(upload.complete(parts))).toEqual({ name: 'EntityTooSmall', status: 400 });
  });
}
