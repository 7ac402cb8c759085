import { createHook } from 'node:async_hooks';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createS3Client, S3 } from '../../../src/emulator/s3/index.ts';
import { TestBucket } from '../../contract/s3/bucket.ts';
import { WITHIN_A_TURN } from '../../simulation/virtual-time.ts';

/** Of the synchronous refill of `randomUUID`'s buffer, once in 128 ids. */
const REFILL = 'RANDOMBYTESREQUEST';

afterEach(() => {
  vi.useRealTimers();
});

it('waits for nothing but microtasks and ticks, so that virtual time can run it', async () => {
  const s3 = new S3();
  s3.addBucket('results');
  const bucket = new TestBucket(createS3Client(s3), 'results');
  const all = async () => {
    const { ETag } = await bucket.put('state', 'one');
    await bucket.put('state', 'two', { IfMatch: ETag });
    await bucket.put('long', Readable.from(['a', 'b']), { ContentLength: 2 });
    await bucket.text('state', { Range: 'bytes=0-1' });
    await bucket.get('none').catch(() => {});
    await bucket.list();
    const upload = await bucket.begin('big');
    await upload.complete([await upload.part(1, 'x')]);
    await bucket.delete('state');
  };
  // The client's first calls load its code and its settings.
  await all();
  vi.useFakeTimers();
  const waits = new Set<string>();
  const hook = createHook({ init: (_, type) => void waits.add(type), trackPromises: false });
  hook.enable();
  await all();
  hook.disable();
  expect([...waits].filter((type) => type !== REFILL && !WITHIN_A_TURN.has(type))).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

it('tells the time that it is given, in seconds', async () => {
  let now = Date.UTC(2030, 0, 1, 12, 0, 0, 999);
  const s3 = new S3({ now: () => now });
  s3.addBucket('results');
  const bucket = new TestBucket(createS3Client(s3), 'results');
  await bucket.put('a', 'x');
  now += 60_000;
  await bucket.put('b', 'x');
  expect((await bucket.head('a')).LastModified).toEqual(new Date('2030-01-01T12:00:00Z'));
  const { Contents = [] } = await bucket.list();
  expect(Contents.map(({ LastModified }) => LastModified?.toISOString())).toEqual([
    '2030-01-01T12:00:00.000Z',
    '2030-01-01T12:01:00.000Z',
  ]);
});

it('takes the bucket from the name of the host', async () => {
  const s3 = new S3();
  s3.addBucket('results');
  await new TestBucket(createS3Client(s3), 'results').put('a b/c', 'x');
  for (const endpoint of ['http://localhost:9000', 'https://s3.us-east-1.amazonaws.com']) {
    const client = createS3Client(s3, { forcePathStyle: false, endpoint });
    const bucket = new TestBucket(client, 'results');
    expect(await bucket.text('a b/c')).toBe('x');
    expect(await bucket.keys()).toEqual(['a b/c']);
  }
});

describe('what is kept', () => {
  it('is not changed by its caller', async () => {
    const s3 = new S3();
    s3.addBucket('results');
    const bucket = new TestBucket(createS3Client(s3), 'results');
    const sent = Buffer.from('sent');
    await bucket.put('a', sent);
    sent.fill('x');
    const { Body } = await bucket.get('a');
    for await (const chunk of Body as AsyncIterable<Uint8Array>) {
      expect(Buffer.from(chunk).toString()).toBe('sent');
      chunk.fill(0);
    }
    expect(await bucket.text('a')).toBe('sent');
  });

  it('may have a smaller smallest part', async () => {
    const s3 = new S3({ minPartBytes: 2 });
    s3.addBucket('results');
    const upload = await new TestBucket(createS3Client(s3), 'results').begin('big');
    const parts = [await upload.part(1, 'ab'), await upload.part(2, 'c')];
    expect(await upload.complete(parts)).toMatchObject({ Key: 'big' });
  });
});
