// Whether EventBridge, here that of moto, delivers the events of runs to the target of a rule.
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { Template } from 'aws-cdk-lib/assertions';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { expect, it } from 'vitest';
import { Fanfold } from '../../cdk/index.ts';
import { motoForTests } from '../../scripts/moto.ts';
import { announcerOn, type RunEnded } from '../../src/pipeline/storing/announce.ts';
import { startMoto } from '../foreign/moto.ts';
import { emptyStack, only } from './synthesis.ts';

const ended = (deployment: string): RunEnded => ({
  ...{ deployment, runId: '20261123T165514123-k3f9x2ab', task: 'resize' },
  results: 's3://reports/photos/20261123T165514123-k3f9x2ab/',
  manifest: 's3://reports/photos/20261123T165514123-k3f9x2ab/manifest.json',
  ledger: { inputs: 3, ok: 2, failed: 1, cancelled: 0 },
});

it.skipIf(motoForTests() === undefined)('a rule’s queue receives the end of a run', async () => {
  const stack = emptyStack();
  const target = new SqsQueue(new Queue(stack, 'Next'));
  new Fanfold(stack, 'Fanfold').onRunEnded('Ended', { target });
  const pattern = { EventPattern: { 'detail-type': ['Fanfold Run Ended'] } };
  const { Properties } = only(Template.fromStack(stack), 'AWS::Events::Rule', pattern);
  const moto = await startMoto();
  try {
    const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' };
    const place = { endpoint: moto.url, region: 'eu-central-1', credentials };
    const [events, sqs] = [new EventBridgeClient(place), new SQSClient(place)];
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'next' }));
    const EventPattern = JSON.stringify(Properties.EventPattern);
    await events.send(new PutRuleCommand({ Name: 'ended', EventPattern }));
    const Arn = 'arn:aws:sqs:eu-central-1:123456789012:next';
    await events.send(new PutTargetsCommand({ Rule: 'ended', Targets: [{ Id: 'next', Arn }] }));
    const refusals: unknown[] = [];
    const announcer = announcerOn(events, (error) => refusals.push(error));
    const { ledger, manifest, cause, ...started } = ended('Photos');
    await announcer.started(started);
    await announcer.ended(ended('Others'));
    await announcer.ended(ended('Photos'));
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 5 }),
    );
    expect(refusals).toEqual([]);
    expect(Messages.map(({ Body = '' }) => JSON.parse(Body))).toMatchObject([
      { source: 'fanfold', 'detail-type': 'Fanfold Run Ended', detail: ended('Photos') },
    ]);
  } finally {
    await moto.close();
  }
});
