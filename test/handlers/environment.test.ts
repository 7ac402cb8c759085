import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterEach, expect, it, vi } from 'vitest';
import { createS3Client, S3, serveS3 } from '../../src/emulator/s3/index.ts';
import { createSqsClient } from '../../src/emulator/sqs/index.ts';
import { Environment } from '../../src/handlers/environment.ts';
import { newRunId } from '../../src/pipeline/names.ts';
import { clientMeter } from '../../src/pipeline/run/client-meter.ts';
import { Payloads } from '../../src/pipeline/run/payloads.ts';

afterEach(() => void vi.unstubAllEnvs());

it('requests for objects of large inputs and outputs are metered', async () => {
  const s3 = new S3();
  const direct = createS3Client(s3);
  await direct.send(new CreateBucketCommand({ Bucket: 'objects' }));
  const server = await serveS3(s3);
  vi.stubEnv('FANFOLD_BUCKET', 'objects');
  vi.stubEnv('AWS_ENDPOINT_URL_S3', server.url);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  const runId = newRunId();

  const { meter, payloads } = new Environment({ memoryMb: 512 });
  meter?.begin();
  meter?.workFor(runId);
  const output = await payloads.putOutput(runId, 0, '"large"');
  await payloads.putOutput(runId, 1, '"larger"');
  await payloads.getOutput(runId, output);
  expect(meter?.usedFor(runId)).toMatchObject({ put: 2, get: 1 });

  const program = clientMeter(createSqsClient(), 'us-east-1', false);
  program.usedFor(runId);
  program.countS3(direct);
  const there = new Payloads(async () => ({ s3: direct, bucket: 'objects' }));
  await there.putInput(runId, 0, '5');
  await there.getOutput(runId, output);
  await there.putInput(newRunId(), 0, '5');
  expect(program.usedFor(runId)).toMatchObject({ put: 1, get: 1 });
  expect(program.usedFor(runId)?.bytes).toBeGreaterThanOrEqual('"large"'.length);
  // To list a run's objects costs as much as a PUT; to delete them is free.
  await there.deleteOf(runId);
  expect(program.usedFor(runId)).toMatchObject({ put: 2, get: 1 });
  await server.close();
});
