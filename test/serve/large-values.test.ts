import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { objectsAt } from '../../src/endpoint/clients.ts';
import { readJoin } from '../../src/endpoint/connection.ts';
import { connect } from '../../src/index.ts';
import { serve } from '../../src/serve/serve.ts';
import { BUCKET } from '../../src/worlds/local-objects.ts';
import { aUser } from '../cli/serving.ts';

aUser();

const folder = mkdtempSync(join(tmpdir(), 'fanfold-large-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('inputs and outputs that no message can hold pass a server’s port, for those who know its secret', async () => {
  const tasks = new URL('../../functions/tasks/index.ts', import.meta.url);
  await using server = await serve({ tasks, data: folder, host: '0.0.0.0', port: 0, workers: 1 });
  vi.stubEnv('FANFOLD_JOIN', server.join);
  await using fanfold = await connect({ endpoint: server.url });
  const inputs = ['small', 'x'.repeat(2_000_000)];
  expect(await fanfold.map('echo', inputs).all()).toEqual(inputs);
  // The lock of the folder, and the bucket: the run deleted its objects.
  expect(readdirSync(join(folder, 'objects'))).toHaveLength(2);
  const place = readJoin(server.join, 'it');
  const { S3Client, PutObjectCommand } = await import('@aws-sdk/client-s3');
  const put = () => new PutObjectCommand({ Bucket: BUCKET, Key: 'payloads/x', Body: 'x' });
  const theirs = { accessKeyId: 'KEY', secretAccessKey: 'another' };
  const stranger = await objectsAt({ ...place, credentials: theirs });
  expect(stranger).toBeInstanceOf(S3Client);
  await expect(stranger.send(put())).rejects.toMatchObject({ name: 'InvalidAccessKeyId' });
  await expect((await objectsAt(place)).send(put())).resolves.toMatchObject({
    ETag: expect.any(String),
  });
  vi.unstubAllEnvs();
});
