import { type App, Duration, Stack, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Alias, Key } from 'aws-cdk-lib/aws-kms';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { Fanfold, FanfoldMonitoring, type FanfoldProps, FanfoldStack } from '../../cdk/index.ts';
import { allowedBy, emptyStack, managedPolicy, newApp, only, templateOf } from './synthesis.ts';

const TOPIC = 'arn:aws:sns:us-east-1:111111111111:alarms';

describe('monitoring', () => {
  const stack = new FanfoldStack(newApp(), 'Photos', {
    alarmTopicArn: TOPIC,
    maxTaskAge: Duration.hours(2),
  });
  const template = Template.fromStack(stack);
  const alarm = (id: string) =>
    only(template, 'AWS::CloudWatch::Alarm', { AlarmName: `Photos-${id}` }).Properties;

  it('has an alarm for each problem that needs attention, with a remedy', () => {
    const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm'));
    expect(alarms.map(({ Properties }) => Properties.AlarmName).sort()).toEqual(
      [
        ...['CollectorGivenUp', 'DeadLetters', 'Errors', 'LaneAge', 'LostSeeds', 'Recursion'],
        ...['Stuck', 'TaskAge', 'Throttles'],
      ].map((id) => `Photos-${id}`),
    );
    for (const { Properties } of alarms) {
      expect(Properties.AlarmDescription.length).toBeGreaterThan(80);
      expect(Properties.AlarmActions).toEqual([TOPIC]);
      expect(Properties.TreatMissingData).toBe('notBreaching');
    }
    expect(alarm('TaskAge')).toMatchObject({ Threshold: 7200 });
    expect(alarm('LaneAge')).toMatchObject({
      MetricName: 'ApproximateAgeOfOldestMessage',
      Threshold: 7200,
    });
    // As the collector function emits it.
    expect(alarm('CollectorGivenUp')).toMatchObject({
      Namespace: 'Fanfold',
      MetricName: 'CollectorGivenUp',
      Dimensions: [{ Name: 'service', Value: 'Photos' }],
      Statistic: 'Sum',
      Threshold: 1,
    });
    expect(JSON.stringify(alarm('Errors'))).toContain('Collector');
    expect(alarm('DeadLetters')).toMatchObject({
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Threshold: 1,
    });
  });

  it('detects chunks in flight of which none is done, which the age does not show', () => {
    const metrics = alarm('Stuck').Metrics as { Expression?: string; MetricStat?: object }[];
    expect(metrics).toContainEqual(
      expect.objectContaining({
        Expression: 'IF(FILL(inFlight, 0) > 0 AND FILL(deleted, 0) == 0, 1, 0)',
      }),
    );
    expect(JSON.stringify(metrics)).toContain('ApproximateNumberOfMessagesNotVisible');
    expect(JSON.stringify(metrics)).toContain('NumberOfMessagesDeleted');
  });

  it('has no metric per run, because each would cost money', () => {
    const body = JSON.stringify(template.findResources('AWS::CloudWatch::Dashboard'));
    for (const metric of ['InputsOk', 'InputsFailed', 'InputsRetried', 'InputDuration']) {
      expect(body).toContain(`\\"Fanfold\\",\\"${metric}\\",\\"service\\",\\"Photos\\",{`);
    }
    expect(body).toContain("filter runId = 'RUN-ID'");
    expect(body).toMatch(/variables.*pattern.*RUN-ID/);
  });

  it('is part of the construct, with outputs, unless it is turned off', () => {
    const own = emptyStack();
    const fanfold = new Fanfold(own, 'Fanfold');
    new Fanfold(own, 'Other', { name: 'Other', alarmTopic: new Topic(own, 'Topic') });
    expect(Object.keys(fanfold.monitoring?.alarms ?? {})).toHaveLength(9);
    const made = Template.fromStack(own);
    made.resourceCountIs('AWS::CloudWatch::Alarm', 18);
    made.resourceCountIs('AWS::CloudWatch::Dashboard', 2);
    const outputs = Object.keys(made.findOutputs('*'));
    expect(outputs).toHaveLength(16);
    expect(outputs.filter((id) => /^(Fanfold|Other)TaskQueueUrl/.test(id))).toHaveLength(2);

    const off = emptyStack();
    const unwatched = new Fanfold(off, 'Fanfold', { monitoring: false });
    expect(unwatched.monitoring).toBeUndefined();
    const bare = Template.fromStack(off);
    bare.resourceCountIs('AWS::CloudWatch::Alarm', 0);
    expect(bare.findOutputs('*')).toEqual({});
  });

  it('is refused twice, and a topic without it', () => {
    const own = emptyStack();
    const fanfold = new Fanfold(own, 'Fanfold');
    expect(() => new FanfoldMonitoring(own, 'Again', { fanfold })).toThrow('`monitoring: false`');
    const other = emptyStack();
    const props = { monitoring: false, alarmTopic: new Topic(other, 'Topic') };
    expect(() => new Fanfold(other, 'Fanfold', props)).toThrow('`alarmTopic` is notified by');
  });
});

describe('cdk-nag’s AwsSolutions rules', () => {
  /** Their findings in a stack that have no explanation. */
  function findings(fill: (stack: Stack, app: App) => void): string[] {
    const app = newApp();
    const checks = new AwsSolutionsChecks(app);
    Validations.of(app).addPlugins(checks);
    const stack = new Stack(app, 'Photos');
    fill(stack, app);
    try {
      app.synth();
      return process.exitCode ? ['synthesis failed'] : [];
    } catch (error) {
      return [String(error)];
    } finally {
      process.exitCode = undefined;
    }
  }

  const inVpc = (stack: Stack): FanfoldProps => ({
    vpc: Vpc.fromVpcAttributes(stack, 'Vpc', {
      vpcId: 'vpc-0123456789abcdef0',
      availabilityZones: ['us-east-1a'],
      privateSubnetIds: ['subnet-0123456789abcdef0'],
    }),
  });
  const named = (stack: Stack): FanfoldProps => ({
    inputBuckets: [Bucket.fromBucketName(stack, 'Inputs', 'inputs')],
  });
  /** A bucket of the same app, with explanations for the rules about buckets. */
  function madeIn(stack: Stack): FanfoldProps {
    const bucket = new Bucket(stack, 'Inputs', { enforceSSL: true });
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions::AwsSolutions-S1',
      reason: 'A test has no access logs.',
    });
    // CDK's own class does not fit its interface under exactOptionalPropertyTypes.
    return { inputBuckets: [bucket as IBucket] };
  }

  it.each<[string, (stack: Stack, app: App) => FanfoldProps]>([
    ['by default', () => ({})],
    ['without burst', () => ({ burst: 0 })],
    [
      'with a key',
      (stack) => ({ encryptionKey: new Key(stack, 'K', { enableKeyRotation: true }) }),
    ],
    ['with a key by its alias', (s) => ({ encryptionKey: Alias.fromAliasName(s, 'K', 'alias/k') })],
    ['in a VPC', inVpc],
    ['with alarms', () => ({ alarmTopic: Topic.fromTopicArn(new Stack(newApp()), 'T', TOPIC) })],
    ['with a bucket by name', named],
    ['without results in S3', () => ({ s3Results: false })],
    [
      'with a bucket and places of its own for results',
      (stack, app) => {
        const [bucket] = madeIn(stack).inputBuckets as IBucket[];
        const [other] = madeIn(new Stack(app, 'Other')).inputBuckets as IBucket[];
        if (!bucket || !other) throw new Error('Two buckets were expected.');
        const places = [
          other,
          { bucket: Bucket.fromBucketName(stack, 'Named', 'named'), prefix: 'a/' },
        ];
        return { bucket, resultPlaces: places };
      },
    ],
    [
      'with a prefix in a bucket',
      (stack) => ({
        inputBuckets: [{ bucket: Bucket.fromBucketName(stack, 'Inputs', 'inputs'), prefix: 'a/' }],
      }),
    ],
    ['with a bucket of its stack', madeIn],
    ['with a bucket of another stack', (_, app) => madeIn(new Stack(app, 'Other'))],
  ])('pass %s', (_, propsOf) => {
    expect(findings((stack, app) => new Fanfold(stack, 'Fanfold', propsOf(stack, app)))).toEqual(
      [],
    );
  });

  it('report further grants of tasks', () => {
    const found = findings((stack) => {
      const fanfold = new Fanfold(stack, 'Fanfold');
      fanfold.workerRole.addToPolicy(
        new PolicyStatement({ actions: ['s3:*'], resources: ['arn:aws:s3:::photos/*'] }),
      );
    });
    expect(found).not.toEqual([]);
  });
});

describe('the policies of people and machines', () => {
  const template = templateOf();
  const runQueue =
    'arn:AWS::Partition:sqs:AWS::Region:AWS::AccountId:Photos-run-????????T?????????-*';
  const on = (resource: string, ...actions: string[]) =>
    actions.map((action) => `${action} on ${resource}`);

  it('let operators start, follow, collect and cancel runs, and look at all parts', () => {
    const looked = [
      'lambda:GetFunctionConfiguration',
      'lambda:GetFunctionConcurrency',
      'lambda:GetFunctionRecursionConfig',
    ];
    expect(allowedBy(template, 'Photos-operator')).toEqual(
      [
        ...on('Photos-seed', 'lambda:InvokeFunction', ...looked),
        ...on('Photos-collector', ...looked),
        ...['runs', 'payloads'].flatMap((prefix) =>
          on(`FanfoldBucket/${prefix}/*`, 's3:GetObject', 's3:PutObject', 's3:DeleteObject'),
        ),
        ...on('FanfoldBucket', 's3:ListBucket'),
        ...on('Photos-worker', ...looked),
        ...on('Photos-burst', ...looked),
        // AWS lets no resource be named for them.
        ...on('*', 'sqs:ListQueues', 'lambda:GetAccountSettings', 'lambda:ListEventSourceMappings'),
        ...on('*', 'logs:GetQueryResults'),
        ...['seed', 'worker', 'burst', 'collector'].map(
          (name) => `logs:StartQuery on /aws/lambda/Photos-${name}`,
        ),
        ...on(runQueue, 'sqs:GetQueueUrl', 'sqs:GetQueueAttributes', 'sqs:ListQueueTags'),
        ...on(runQueue, 'sqs:TagQueue', 'sqs:ReceiveMessage', 'sqs:DeleteMessage'),
        ...on(runQueue, 'sqs:SendMessage', 'sqs:DeleteQueue'),
        ...on('Photos-tasks', 'sqs:GetQueueUrl', 'sqs:GetQueueAttributes', 'sqs:ListQueueTags'),
        ...on('Photos-lanes.fifo', 'sqs:GetQueueUrl', 'sqs:GetQueueAttributes'),
        ...on('Photos-tasks-dead', 'sqs:GetQueueUrl', 'sqs:GetQueueAttributes'),
        ...on('Photos-results', 'sqs:GetQueueUrl', 'sqs:GetQueueAttributes'),
        ...on('Photos-ended', 'sqs:GetQueueUrl', 'sqs:GetQueueAttributes', 'sqs:SendMessage'),
        ...on('Photos-ended', 'sqs:ReceiveMessage', 'sqs:ChangeMessageVisibility'),
        // The raw feed.
        ...on('Photos-results', 'sqs:ReceiveMessage', 'sqs:DeleteMessage'),
      ].sort(),
    );
  });

  it('let machines work, and redrive, which both send task messages', () => {
    expect(allowedBy(template, 'Photos-work')).toEqual(
      [
        ...on('Photos-tasks', 'sqs:GetQueueUrl', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'),
        ...on('Photos-tasks', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'),
        ...on('Photos-tasks', 'sqs:SendMessage', 'sqs:ListQueueTags'),
        ...on('Photos-lanes.fifo', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'),
        ...on('Photos-lanes.fifo', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'),
        ...on('Photos-lanes.fifo', 'sqs:SendMessage'),
        ...on('Photos-tasks-dead', 'sqs:GetQueueUrl', 'sqs:GetQueueAttributes', 'sqs:SendMessage'),
        ...on('Photos-tasks-dead', 'sqs:StartMessageMoveTask', 'sqs:ListMessageMoveTasks'),
        ...on('Photos-tasks-dead', 'sqs:ReceiveMessage', 'sqs:DeleteMessage'),
        ...on('Photos-results', 'sqs:GetQueueUrl', 'sqs:SendMessage'),
        ...on(runQueue, 'sqs:ListQueueTags', 'sqs:SendMessage'),
        ...on('FanfoldBucket/payloads/*', 's3:GetObject', 's3:PutObject'),
      ].sort(),
    );
  });

  it.each(['Photos-operator', 'Photos-work'])('fit into what IAM takes: %s', (name) => {
    const stack = emptyStack();
    // As many places for results as are accepted.
    const resultPlaces = Array.from({ length: 13 }, (_, at) =>
      Bucket.fromBucketName(stack, `Place${at}`, `${at}${'x'.repeat(60)}`),
    );
    new Fanfold(stack, 'Fanfold', { resultPlaces, encryptionKey: new Key(stack, 'Key') });
    const largest = Template.fromStack(stack);
    const { PolicyDocument } = managedPolicy(largest, name).Properties;
    // 6,144 characters. Names are at most as long as these: 40 characters of a name, an ARN before.
    const longest = JSON.stringify(PolicyDocument).replaceAll('Photos', 'x'.repeat(40));
    expect(longest.length).toBeLessThan(6_144);
  });

  it('have their region in their names, as the dashboard has, because they belong to the account', () => {
    const names = ['eu-central-1', 'us-east-1'].map((region) => {
      const env = { account: '111111111111', region };
      const stack = new FanfoldStack(newApp(), 'Photos', { env });
      const { Resources } = Template.fromStack(stack).toJSON();
      return Object.values<{ Properties: Record<string, unknown> }>(Resources).flatMap(
        ({ Properties: { ManagedPolicyName, DashboardName } }) =>
          [ManagedPolicyName, DashboardName].filter((name) => name !== undefined),
      );
    });
    expect(names[0]?.sort()).toEqual([
      'Photos-eu-central-1',
      'Photos-operator-eu-central-1',
      'Photos-work-eu-central-1',
    ]);
    expect(names[1]?.filter((name) => names[0]?.includes(name))).toEqual([]);
  });
});
