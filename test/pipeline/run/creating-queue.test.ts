import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import { namesOf } from '../../../src/pipeline/names.ts';
import { createRunQueue } from '../../../src/pipeline/run/queues.ts';

const names = namesOf('Photos');
const ARN = 'arn:aws:sqs:us-east-1:000000000000';
const policy = (queue: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Deny',
        Principal: { AWS: `arn:aws:iam::000000000000:role/${names.results}` },
        Action: 'sqs:*',
        Resource: `${ARN}:${queue}`,
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ],
  });

async function deployment(Attributes: Record<string, string>) {
  const sqs = createSqsClient(new Sqs());
  await sqs.send(new CreateQueueCommand({ QueueName: names.results, Attributes }));
  return {
    sqs,
    async attributesOf(QueueUrl: string) {
      const asked = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] });
      return (await sqs.send(asked)).Attributes ?? {};
    },
  };
}

it.each<[string, Record<string, string>]>([
  ['a key', { KmsMasterKeyId: 'alias/photos', KmsDataKeyReusePeriodSeconds: '3600' }],
  ['SQS itself', { SqsManagedSseEnabled: 'true' }],
  ['nothing', { SqsManagedSseEnabled: 'false' }],
])("a run's queue is encrypted as the result queue is, by %s", async (_, encryption) => {
  const { sqs, attributesOf } = await deployment({
    ...encryption,
    Policy: policy(names.results),
  });
  const made = await attributesOf(await createRunQueue(sqs, names, 'r1', { task: 'echo' }));
  expect(made).toMatchObject(encryption);
  expect(made.KmsMasterKeyId).toBe(encryption.KmsMasterKeyId);
  expect(made.Policy).toBe(policy(names.run('r1')));
  expect(made.MessageRetentionPeriod).toBe('1209600');
});

it('a run’s queue copies only the denial of calls without TLS from the result queue’s policy', async () => {
  const { Version, Statement } = JSON.parse(policy(names.results));
  const [tls] = Statement;
  const more = [
    { Effect: 'Allow', Principal: '*', Action: 'sqs:ReceiveMessage', Resource: tls.Resource },
    { Effect: 'Deny', Principal: '*', Action: 'sqs:SendMessage', Resource: tls.Resource },
    { ...tls, Condition: { Bool: { 'aws:SecureTransport': 'true' } } },
  ];
  const made = async (statements: unknown) => {
    const Policy = JSON.stringify({ Version, Statement: statements });
    const { sqs, attributesOf } = await deployment({ Policy });
    return attributesOf(await createRunQueue(sqs, names, 'r1', { task: 'echo' }));
  };
  expect((await made([more[0], tls, more[1], more[2]])).Policy).toBe(policy(names.run('r1')));
  expect((await made(tls)).Policy).toBe(policy(names.run('r1')));
  expect((await made(more)).Policy).toBeUndefined();
});

it('a run’s queue is found again even if the result queue has changed', async () => {
  const { sqs, attributesOf } = await deployment({ Policy: policy(names.results) });
  const url = await createRunQueue(sqs, names, 'r1', { task: 'echo' });
  const QueueUrl = url.replace(names.run('r1'), names.results);
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: '' } }));
  expect(await createRunQueue(sqs, names, 'r1', { task: 'echo' })).toBe(url);
  expect((await attributesOf(url)).Policy).toBe(policy(names.run('r1')));
});
