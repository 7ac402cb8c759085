import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { explaining } from '../../src/aws-errors.ts';

it('denied access is reported with the policies that grant it', async () => {
  const client = explaining(
    new SQSClient({
      region: 'us-east-1',
      credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
      maxAttempts: 1,
    }),
    'Photos',
  );
  client.middlewareStack.add(
    () => () => {
      throw Object.assign(new Error('not authorized'), { name: 'AccessDenied' });
    },
    { step: 'build' },
  );
  const denied = client.send(new ListQueuesCommand({}));
  await expect(denied).rejects.toThrow(
    /not authorized.*Photos-operator-REGION.*Photos-work-REGION/,
  );
});
