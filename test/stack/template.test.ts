import { CfnParameter, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Tracing } from 'aws-cdk-lib/aws-lambda';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { describe, expect, it } from 'vitest';
import { Fanfold, type FanfoldProps, FanfoldStack } from '../../cdk/index.ts';
import { namesOf } from '../../src/pipeline/names.ts';
import { allowedTo, emptyStack, managedPolicy, newApp, only, templateOf } from './synthesis.ts';

const FOURTEEN_DAYS = 1_209_600;

describe('the queues', () => {
  const template = templateOf();
  const queue = (name: string) => only(template, 'AWS::SQS::Queue', { QueueName: name });

  const { tasks, lanes, dead, results, ended } = namesOf('Photos');
  const all = [tasks, lanes, dead, results, ended];

  it('are five, named by rule', () => {
    template.resourceCountIs('AWS::SQS::Queue', all.length);
    for (const name of all) queue(name);
  });

  it('keep messages for 14 days, ended runs for one, encrypted', () => {
    template.allResourcesProperties('AWS::SQS::Queue', { SqsManagedSseEnabled: true });
    const kept = all.map((name) => queue(name).Properties.MessageRetentionPeriod);
    expect(kept).toEqual([...Array(4).fill(FOURTEEN_DAYS), 86_400]);
  });

  it('refuse calls without TLS', () => {
    for (const name of all) {
      const { logicalId } = queue(name);
      template.hasResourceProperties('AWS::SQS::QueuePolicy', {
        Queues: [{ Ref: logicalId }],
        PolicyDocument: {
          Statement: [
            {
              Effect: 'Deny',
              Principal: { AWS: '*' },
              Action: 'sqs:*',
              Resource: { 'Fn::GetAtt': [logicalId, 'Arn'] },
              Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            },
          ],
        },
      });
    }
  });

  it('move task messages to the dead letters only after a hundred receives', () => {
    expect(queue('Photos-tasks').Properties.RedrivePolicy).toEqual({
      deadLetterTargetArn: { 'Fn::GetAtt': [queue('Photos-tasks-dead').logicalId, 'Arn'] },
      maxReceiveCount: 100,
    });
  });

  it('deliver each lane’s messages in its own order, without dead letters', () => {
    const { Properties } = queue('Photos-lanes.fifo');
    expect(Properties).toMatchObject({
      FifoQueue: true,
      DeduplicationScope: 'messageGroup',
      FifoThroughputLimit: 'perMessageGroupId',
    });
    // Equal chunks of one lane must not be taken for one.
    expect(Properties.ContentBasedDeduplication ?? false).toBe(false);
    expect(Properties).not.toHaveProperty('RedrivePolicy');
  });

  it('hide a task message for the worker function’s timeout and a minute', () => {
    const { Timeout } = only(template, 'AWS::Lambda::Function', {
      FunctionName: 'Photos-worker',
    }).Properties;
    expect(Timeout).toBe(900);
    for (const name of [tasks, lanes]) {
      expect(queue(name).Properties.VisibilityTimeout).toBe(Number(Timeout) + 60);
    }
  });

  it('make reading results a long poll, with five minutes to process them', () => {
    expect(queue('Photos-results').Properties).toMatchObject({
      ReceiveMessageWaitTimeSeconds: 20,
      VisibilityTimeout: 300,
    });
  });
});

/** In a stack without a known region. */
const ALLOWED_WHERE_KNOWN = {
  'Fn::If': ['FanfoldHasRecursiveLoop', 'Allow', { Ref: 'AWS::NoValue' }],
};

describe('the functions', () => {
  const template = templateOf({ memorySize: 2048 });

  it('are four, on Node 24 and arm64, traced, and find everything by one name', () => {
    template.resourceCountIs('AWS::Lambda::Function', 4);
    const { seed, worker, burst, collector } = namesOf('Photos');
    const [bucket] = Object.keys(template.findResources('AWS::S3::Bucket'));
    for (const [name, Handler, MemorySize, Timeout] of [
      [seed, 'index.handler', 1024, 900],
      [worker, 'index.handler', 2048, 900],
      [burst, 'index.burst', 2048, 900],
      [collector, 'index.handler', 1024, 900],
    ] as const) {
      expect(
        only(template, 'AWS::Lambda::Function', { FunctionName: name }).Properties,
      ).toMatchObject({
        Architectures: ['arm64'],
        Environment: {
          Variables: {
            FANFOLD_NAME: 'Photos',
            FANFOLD_TASK_QUEUE_URL: { Ref: 'FanfoldTaskQueue3C44A7CA' },
            FANFOLD_BUCKET: { Ref: bucket },
            NODE_OPTIONS: '--enable-source-maps',
            POWERTOOLS_SERVICE_NAME: 'Photos',
            POWERTOOLS_METRICS_NAMESPACE: 'Fanfold',
            POWERTOOLS_LOG_LEVEL: 'INFO',
          },
        },
        Handler,
        MemorySize,
        Runtime: 'nodejs24.x',
        Timeout,
        TracingConfig: { Mode: 'Active' },
        RecursiveLoop: ALLOWED_WHERE_KNOWN,
      });
    }
  });

  it('log JSON to groups of their own, kept for a month and gone with the stack', () => {
    template.resourceCountIs('AWS::Logs::LogGroup', 4);
    for (const name of ['Photos-seed', 'Photos-worker', 'Photos-burst', 'Photos-collector']) {
      const group = only(template, 'AWS::Logs::LogGroup', { LogGroupName: `/aws/lambda/${name}` });
      expect(group).toMatchObject({
        Properties: { RetentionInDays: 30 },
        DeletionPolicy: 'Delete',
      });
      expect(
        only(template, 'AWS::Lambda::Function', { FunctionName: name }).Properties.LoggingConfig,
      ).toEqual({ LogFormat: 'JSON', LogGroup: { Ref: group.logicalId } });
    }
  });

  it('are created, and get tasks, only after their permissions exist', () => {
    for (const [name, role] of [
      ['Photos-seed', 'SeedRole'],
      ['Photos-worker', 'WorkerRole'],
      ['Photos-burst', 'WorkerRole'],
      ['Photos-collector', 'CollectorRole'],
    ] as const) {
      const { DependsOn } = only(template, 'AWS::Lambda::Function', { FunctionName: name });
      expect(DependsOn).toContainEqual(
        expect.stringMatching(new RegExp(`^Fanfold${role}DefaultPolicy`)),
      );
    }
  });

  it.each(['Photos-tasks', 'Photos-lanes.fifo'])(
    'receive one chunk of %s per invocation, and may return it',
    (QueueName) => {
      template.resourceCountIs('AWS::Lambda::EventSourceMapping', 2);
      const worker = only(template, 'AWS::Lambda::Function', { FunctionName: 'Photos-worker' });
      const queue = only(template, 'AWS::SQS::Queue', { QueueName });
      const EventSourceArn = { 'Fn::GetAtt': [queue.logicalId, 'Arn'] };
      expect(
        only(template, 'AWS::Lambda::EventSourceMapping', { EventSourceArn }).Properties,
      ).toEqual({
        BatchSize: 1,
        EventSourceArn,
        FunctionName: { Ref: worker.logicalId },
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        ScalingConfig: { MaximumConcurrency: 50 },
      });
    },
  );

  it.each([
    [{}, 50, 50],
    [{ maxConcurrency: 200 }, 100, 100],
    [{ maxConcurrency: 1000 }, 900, 100],
    [{ maxConcurrency: 1000, burst: 900 }, 100, 900],
    [{ maxConcurrency: 3 }, 2, 1],
    [{ maxConcurrency: 2 }, 2, 0],
    [{ burst: 0 }, 100, 0],
  ])('are at most as many at once as %j allows', (props, scaled, burst) => {
    const limited = templateOf(props);
    limited.allResourcesProperties('AWS::Lambda::EventSourceMapping', {
      ScalingConfig: { MaximumConcurrency: scaled },
    });
    const found = Object.values(
      limited.findResources('AWS::Lambda::Function', {
        Properties: { FunctionName: 'Photos-burst' },
      }),
    );
    // Nothing is reserved, which AWS refuses in small accounts.
    expect(found.map(({ Properties }) => Properties.ReservedConcurrentExecutions)).toEqual(
      burst === 0 ? [] : [undefined],
    );
    const seed = only(limited, 'AWS::Lambda::Function', { FunctionName: 'Photos-seed' });
    const { Variables } = seed.Properties.Environment as { Variables: Record<string, string> };
    expect(Variables.FANFOLD_BURST).toBe(burst === 0 ? undefined : String(burst));
    // It cuts chunks for all of them.
    expect(Variables.FANFOLD_WORKERS).toBe(String(scaled + burst));
  });

  it('are reserved for bursts only if `reserveBurst` is set', () => {
    const reserved = (props: FanfoldProps) =>
      Object.values(templateOf(props).findResources('AWS::Lambda::Function')).flatMap(
        ({ Properties: { FunctionName, ReservedConcurrentExecutions: count } }) =>
          count === undefined ? [] : [[FunctionName, count]],
      );
    expect(reserved({})).toEqual([]);
    expect(reserved({ reserveBurst: true, burst: 7 })).toEqual([['Photos-burst', 7]]);
    expect(reserved({ reserveBurst: true, burst: 0 })).toEqual([]);
  });

  it.each([
    ['us-gov-west-1', undefined],
    ['mx-central-1', undefined],
    ['ap-southeast-6', undefined],
    ['eu-central-1', 'Allow'],
  ])('may recurse, which %s has no property for or has', (region, expected) => {
    const app = newApp();
    const stack = new Stack(app, 'Photos', { env: { account: '111111111111', region } });
    new Fanfold(stack, 'Fanfold');
    const known = Template.fromStack(stack);
    const found = Object.values(known.findResources('AWS::Lambda::Function'));
    expect(found.map(({ Properties }) => Properties.RecursiveLoop)).toEqual(
      Array(4).fill(expected),
    );
    expect(known.toJSON().Conditions).toBeUndefined();
  });

  it('may recurse if the region of the deployment has the setting', () => {
    const conditions = Object.values(template.toJSON().Conditions);
    const without = ['us-gov-east-1', 'us-gov-west-1', 'mx-central-1', 'ap-southeast-6'];
    expect(conditions).toEqual([
      {
        'Fn::Not': [
          { 'Fn::Or': without.map((one) => ({ 'Fn::Equals': [{ Ref: 'AWS::Region' }, one] })) },
        ],
      },
    ]);
  });

  it('log and trace as the props set', () => {
    const quiet = templateOf({ logLevel: 'ERROR', tracing: Tracing.DISABLED });
    quiet.allResourcesProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ POWERTOOLS_LOG_LEVEL: 'ERROR' }) },
      LoggingConfig: Match.objectLike({ ApplicationLogLevel: Match.absent() }),
      TracingConfig: Match.absent(),
    });
    expect(allowedTo(quiet, 'Photos-worker').join()).not.toContain('xray:');
    templateOf({ logLevel: 'DEBUG' }).allResourcesProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ POWERTOOLS_LOG_LEVEL: 'DEBUG' }) },
      LoggingConfig: Match.objectLike({ ApplicationLogLevel: 'DEBUG' }),
    });
  });

  it('may be as many at once as is known at deployment only', () => {
    const stack = emptyStack();
    const most = new CfnParameter(stack, 'Most', { type: 'Number' }).valueAsNumber;
    new Fanfold(stack, 'Fanfold', { maxConcurrency: most });
    const later = Template.fromStack(stack);
    later.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      ScalingConfig: { MaximumConcurrency: { Ref: 'Most' } },
    });
    later.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'Photos-seed',
      Environment: { Variables: { FANFOLD_WORKERS: { Ref: 'Most' } } },
    });
  });

  it('that are started are retried only as long as it helps', () => {
    const invoked = (FunctionName: string) => {
      const { logicalId } = only(template, 'AWS::Lambda::Function', { FunctionName });
      return only(template, 'AWS::Lambda::EventInvokeConfig', { FunctionName: { Ref: logicalId } })
        .Properties;
    };
    expect(invoked('Photos-seed')).toMatchObject({
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: 3600,
    });
    expect(invoked('Photos-burst')).toMatchObject({
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 60,
    });
    expect(invoked('Photos-collector')).toMatchObject({
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: 21_600,
    });
  });

  it('that run tasks share one asset', () => {
    const codeOf = (FunctionName: string) =>
      only(template, 'AWS::Lambda::Function', { FunctionName }).Properties.Code;
    expect(codeOf('Photos-burst')).toEqual(codeOf('Photos-worker'));
  });
});

describe('the roles', () => {
  const runQueues =
    'arn:AWS::Partition:sqs:AWS::Region:AWS::AccountId:Photos-run-????????T?????????-*';
  const lambda = 'arn:AWS::Partition:lambda:AWS::Region:AWS::AccountId:function:Photos';
  const everyFunction = (name: string) => [
    `logs:CreateLogStream on /aws/lambda/${name}`,
    `logs:PutLogEvents on /aws/lambda/${name}`,
    // X-Ray knows no resources.
    'xray:PutTelemetryRecords on *',
    'xray:PutTraceSegments on *',
  ];

  it('let the seed queue tasks, and make and find the queues of runs', () => {
    expect(allowedTo(templateOf(), 'Photos-seed')).toEqual(
      [
        ...everyFunction('Photos-seed'),
        'sqs:SendMessage on Photos-tasks',
        // Messages in flight are busy workers.
        'sqs:GetQueueAttributes on Photos-tasks',
        'sqs:GetQueueAttributes on Photos-lanes.fifo',
        'sqs:GetQueueUrl on Photos-results',
        'sqs:GetQueueAttributes on Photos-results',
        `lambda:InvokeFunction on ${lambda}-burst`,
        `lambda:InvokeFunction on ${lambda}-collector`,
        's3:PutObject on FanfoldBucket/payloads/*',
        `sqs:CreateQueue on ${runQueues}`,
        `sqs:GetQueueUrl on ${runQueues}`,
        // What it has used, to a collector that does not call it.
        `sqs:SendMessage on ${runQueues}`,
        `sqs:TagQueue on ${runQueues}`,
        `sqs:ListQueueTags on ${runQueues}`,
      ].sort(),
    );
  });

  it('let the worker take tasks, send them on, and report', () => {
    expect(allowedTo(templateOf(), 'Photos-worker')).toEqual(
      [
        ...new Set([
          ...everyFunction('Photos-worker'),
          ...everyFunction('Photos-burst'),
          `lambda:InvokeFunction on ${lambda}-burst`,
          ...['Photos-tasks', 'Photos-lanes.fifo'].flatMap((queue) => [
            `sqs:ChangeMessageVisibility on ${queue}`,
            `sqs:DeleteMessage on ${queue}`,
            `sqs:GetQueueAttributes on ${queue}`,
            `sqs:ReceiveMessage on ${queue}`,
            `sqs:SendMessage on ${queue}`,
          ]),
          's3:GetObject on FanfoldBucket/payloads/*',
          's3:PutObject on FanfoldBucket/payloads/*',
          'sqs:SendMessage on Photos-tasks-dead',
          'sqs:GetQueueUrl on Photos-results',
          'sqs:SendMessage on Photos-results',
          `sqs:ListQueueTags on ${runQueues}`,
          `sqs:GetQueueUrl on ${runQueues}`,
          `sqs:SendMessage on ${runQueues}`,
        ]),
      ].sort(),
    );
  });

  it('let the collector do what operators do, write results, and emit events', () => {
    const results = ['GetObject', 'PutObject', 'DeleteObject', 'AbortMultipartUpload'];
    expect(allowedTo(templateOf(), 'Photos-collector')).toEqual(
      [
        ...everyFunction('Photos-collector'),
        ...['GetUrl', 'GetAttributes'].flatMap((action) =>
          ['Photos-tasks', 'Photos-lanes.fifo', 'Photos-tasks-dead', runQueues].map(
            (queue) => `sqs:${action.replace('Get', 'GetQueue')} on ${queue}`,
          ),
        ),
        ...['ListQueueTags', 'TagQueue', 'ReceiveMessage', 'DeleteMessage'].map(
          (action) => `sqs:${action} on ${runQueues}`,
        ),
        `sqs:ChangeMessageVisibility on ${runQueues}`,
        `sqs:DeleteQueue on ${runQueues}`,
        'sqs:ListQueues on *',
        'sqs:SendMessage on Photos-ended',
        ...results.map((action) => `s3:${action} on FanfoldBucket/runs/*`),
        's3:GetObject on FanfoldBucket/payloads/*',
        's3:DeleteObject on FanfoldBucket/payloads/*',
        's3:ListBucket on FanfoldBucket',
        's3:ListBucketMultipartUploads on FanfoldBucket',
        'events:PutEvents on arn:AWS::Partition:events:AWS::Region:AWS::AccountId:event-bus/default',
        `lambda:InvokeFunction on ${lambda}-collector`,
      ].sort(),
    );
  });

  it('are the functions’ own, without a managed policy', () => {
    const template = templateOf();
    template.resourceCountIs('AWS::IAM::Role', 3);
    template.allResourcesProperties('AWS::IAM::Role', { ManagedPolicyArns: Match.absent() });
  });

  it('give the tasks what is granted to the construct', () => {
    const stack = emptyStack();
    const fanfold = new Fanfold(stack, 'Fanfold');
    new Bucket(stack, 'Bucket').grantReadWrite(fanfold);
    const template = Template.fromStack(stack);
    const ofBucket = (name: string) =>
      allowedTo(template, name).filter((line) => line.includes(' on Bucket'));
    expect(ofBucket('Photos-worker')).toContain('s3:PutObject on Bucket/*');
    for (const name of ['Photos-seed', 'Photos-collector']) expect(ofBucket(name)).toEqual([]);
  });
});

describe('FanfoldStack', () => {
  it('outputs where its parts are', () => {
    const app = newApp();
    const template = Template.fromStack(new FanfoldStack(app, 'Photos', { maxConcurrency: 7 }));
    const ref = (type: string, properties: object) => ({
      Ref: only(template, type, properties).logicalId,
    });
    const outputs = Object.entries(template.findOutputs('*')).map(([id, { Value }]) => [id, Value]);
    expect(Object.fromEntries(outputs)).toEqual({
      TaskQueueUrl: ref('AWS::SQS::Queue', { QueueName: 'Photos-tasks' }),
      DeadLetterQueueUrl: ref('AWS::SQS::Queue', { QueueName: 'Photos-tasks-dead' }),
      ResultQueueUrl: ref('AWS::SQS::Queue', { QueueName: 'Photos-results' }),
      BucketName: ref('AWS::S3::Bucket', {}),
      SeedFunctionName: ref('AWS::Lambda::Function', { FunctionName: 'Photos-seed' }),
      OperatorPolicyArn: { Ref: managedPolicy(template, 'Photos-operator').logicalId },
      WorkPolicyArn: { Ref: managedPolicy(template, 'Photos-work').logicalId },
      WorkerFunctionName: ref('AWS::Lambda::Function', { FunctionName: 'Photos-worker' }),
    });
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      ScalingConfig: { MaximumConcurrency: 4 },
    });
  });
});
