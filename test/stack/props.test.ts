import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { App, CfnParameter, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Port, SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Alias, Key } from 'aws-cdk-lib/aws-kms';
import { Architecture, Tracing } from 'aws-cdk-lib/aws-lambda';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { propsFromContext } from '../../cdk/context.ts';
import {
  Fanfold,
  FanfoldMonitoring,
  type FanfoldProps,
  FanfoldStack,
  type MonitoringProps,
} from '../../cdk/index.ts';
import { allowedTo, emptyStack, only, templateOf } from './synthesis.ts';

function refusal(props: FanfoldProps, stackName?: string): unknown {
  try {
    new Fanfold(emptyStack(stackName), 'Fanfold', props);
  } catch (thrown) {
    return thrown;
  }
  throw new Error('nothing was refused');
}

interface Statement {
  Action: string | string[];
  Resource: unknown;
  Condition?: unknown;
}

/** All that a template's policies say. */
function statementsOf(template: Template): Statement[] {
  return ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) =>
    Object.values(template.findResources(type)).flatMap(
      ({ Properties }) => Properties.PolicyDocument.Statement,
    ),
  );
}

const keyStatements = (template: Template) =>
  statementsOf(template).filter(({ Action }) => [Action].flat()[0]?.startsWith('kms:'));

describe('name', () => {
  it('is the stack’s, unless it has one of its own', () => {
    for (const [props, name] of [
      [{}, 'Photos'],
      [{ name: 'my_photos-2' }, 'my_photos-2'],
      [{ name: 'x'.repeat(40) }, 'x'.repeat(40)],
    ] as const) {
      const template = templateOf(props);
      template.hasResourceProperties('AWS::SQS::Queue', { QueueName: `${name}-tasks` });
      template.hasResourceProperties('AWS::Lambda::Function', { FunctionName: `${name}-seed` });
    }
  });

  it.each([
    ['', 0],
    ['-photos', 7],
    ['my photos', 9],
    ['x'.repeat(41), 41],
  ])('refuses %j', (name, length) => {
    expect(refusal({ name })).toMatchObject({
      name: 'FanfoldPropsError',
      message: `Photos/Fanfold: a deployment's name is 1 to 40 letters, digits, "-" and "_", and starts with a letter or digit; "${name}" (${length} characters) is not.`,
    });
  });

  it.each(['photos-run', 'photos-run-2', '-run', 'a-run-'])('refuses %j', (name) => {
    expect(refusal({ name })).toMatchObject({
      message: expect.stringMatching(name.startsWith('-') ? /starts with a letter/ : /"-run-"/),
    });
  });

  it('says what to do where the stack’s is too long', () => {
    const stackName = `Photos${'s'.repeat(35)}`;
    expect(refusal({}, stackName)).toMatchObject({
      message: `${stackName}/Fanfold: a deployment's name is 1 to 40 letters, digits, "-" and "_", and starts with a letter or digit; the stack's, "${stackName}" (41 characters), is not. Give the construct a \`name\` of its own.`,
    });
  });
});

describe('numbers', () => {
  it.each([
    ['maxConcurrency', 1, 'from 2 to 1000'],
    ['maxConcurrency', 1001, 'from 2 to 1000'],
    ['maxConcurrency', 2.5, 'from 2 to 1000'],
    ['maxConcurrency', Number.NaN, 'from 2 to 1000'],
    ['memorySize', 127, 'from 128 to 10240'],
    ['memorySize', 10_241, 'from 128 to 10240'],
  ])('refuse a %s of %d', (prop, value, range) => {
    expect(refusal({ [prop]: value })).toMatchObject({
      message: `Photos/Fanfold: \`${prop}\` is a whole number ${range}; ${value} came.`,
    });
  });

  it.each([
    [Duration.seconds(0), 0],
    [Duration.millis(1500), 1.5],
    [Duration.days(15), 1_296_000],
  ])('refuse a maxTaskAge of %s', (maxTaskAge, seconds) => {
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
    expect(() => new FanfoldStack(app, 'Photos', { maxTaskAge })).toThrow(
      `Photos/Monitoring: \`maxTaskAge\` is a Duration of whole seconds, from 1 to 1209600; ${seconds} came.`,
    );
  });

  it('may be known at deployment only', () => {
    const stack = emptyStack();
    const memory = new CfnParameter(stack, 'Memory', { type: 'Number' });
    expect(() => new Fanfold(stack, 'Fanfold', { memorySize: memory.valueAsNumber })).not.toThrow();
  });

  it('are known at synthesis where others are made of them', () => {
    const later = new CfnParameter(emptyStack('Other'), 'Later', { type: 'Number' }).valueAsNumber;
    expect(refusal({ timeout: Duration.seconds(later) })).toMatchObject({
      message:
        "Photos/Fanfold: `timeout` must be known at synthesis: the task queue's visibility timeout is a minute longer.",
    });
    expect(refusal({ burst: later })).toMatchObject({
      message:
        "Photos/Fanfold: `burst` must be known at synthesis: the rest of `maxConcurrency` is the event source's.",
    });
  });
});

describe('what belongs together', () => {
  it.each([
    [{ burst: 99 }, '`burst` is a whole number from 0 to 98; 99 came.'],
    [{ burst: -1 }, '`burst` is a whole number from 0 to 98; -1 came.'],
    [
      { reservedConcurrentExecutions: 49 },
      '`reservedConcurrentExecutions` is a whole number from 50 to 10000; 49 came.',
    ],
    [
      { timeout: Duration.minutes(16) },
      '`timeout` is a Duration of whole seconds, from 120 to 900; 960 came.',
    ],
    [
      { timeout: Duration.seconds(3) },
      '`timeout` is a Duration of whole seconds, from 120 to 900; 3 came.',
    ],
    [
      { timeout: Duration.millis(200_500) },
      '`timeout` is a Duration of whole seconds, from 120 to 900; 200.5 came.',
    ],
    [
      { removalPolicy: RemovalPolicy.SNAPSHOT },
      '`removalPolicy` is DESTROY, RETAIN or RETAIN_ON_UPDATE_OR_DELETE; SNAPSHOT came, and queues and logs have no snapshots.',
    ],
    [
      { logRetention: 45 },
      '`logRetention` is one of RetentionDays; 45 came, and CloudWatch keeps logs for no such number of days.',
    ],
    [{ vpcSubnets: {} }, '`vpcSubnets` came without the `vpc` that it is of. Give that too.'],
    [
      { securityGroups: [] },
      '`securityGroups` came without the `vpc` that it is of. Give that too.',
    ],
    [
      { environment: { FANFOLD_NAME: 'x' } },
      '`environment` is for your tasks; FANFOLD_NAME begins with what Fanfold sets itself. Give it another name.',
    ],
    [
      { environment: { AWS_REGION: 'x' } },
      "`environment` is for your tasks; AWS_REGION is Lambda's own. Give it another name.",
    ],
    [
      { environment: { 'my-table': 'x' } },
      'an environment variable\'s name is two or more letters, digits and "_", and starts with a letter; "my-table" came in `environment`.',
    ],
  ])('refuses %j', (props: FanfoldProps, sentence) => {
    expect(refusal(props)).toMatchObject({ message: `Photos/Fanfold: ${sentence}` });
  });

  it('hides a task message for a minute longer than the function’s timeout', () => {
    templateOf({ timeout: Duration.minutes(3) }).hasResourceProperties('AWS::SQS::Queue', {
      QueueName: 'Photos-tasks',
      VisibilityTimeout: 240,
    });
  });

  it('lets the tasks have an environment, another processor and a VPC', () => {
    const stack = emptyStack();
    const vpc = Vpc.fromVpcAttributes(stack, 'Vpc', {
      vpcId: 'vpc-0123456789abcdef0',
      availabilityZones: ['us-east-1a'],
      privateSubnetIds: ['subnet-0123456789abcdef0'],
    });
    new Fanfold(stack, 'Fanfold', {
      vpc,
      architecture: Architecture.X86_64,
      environment: { TABLE: 'photos', NODE_OPTIONS: '--no-warnings' },
    });
    const template = Template.fromStack(stack);
    for (const name of ['Photos-worker', 'Photos-burst']) {
      template.hasResourceProperties('AWS::Lambda::Function', {
        FunctionName: name,
        Architectures: ['x86_64'],
        Environment: {
          Variables: { TABLE: 'photos', NODE_OPTIONS: '--enable-source-maps --no-warnings' },
        },
        VpcConfig: Match.anyValue(),
      });
    }
    // The seed loads the tasks module too.
    template.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'Photos-seed',
      Environment: { Variables: { TABLE: 'photos' } },
      VpcConfig: Match.absent(),
    });
    expect(allowedTo(template, 'Photos-worker')).toContain('ec2:CreateNetworkInterface on *');
    expect(allowedTo(template, 'Photos-seed').join()).not.toContain('ec2:');
  });

  it('has one security group for all workers, which others can let in', () => {
    const stack = emptyStack();
    const vpc = Vpc.fromVpcAttributes(stack, 'Vpc', {
      vpcId: 'vpc-0123456789abcdef0',
      availabilityZones: ['us-east-1a'],
      privateSubnetIds: ['subnet-0123456789abcdef0'],
    });
    const fanfold = new Fanfold(stack, 'Fanfold', { vpc });
    const database = new SecurityGroup(stack, 'Database', { vpc });
    database.connections.allowFrom(fanfold, Port.tcp(5432));
    const template = Template.fromStack(stack);
    template.resourceCountIs('AWS::EC2::SecurityGroup', 2);
    const { VpcConfig } = only(template, 'AWS::Lambda::Function', {
      FunctionName: 'Photos-worker',
    }).Properties as { VpcConfig: { SecurityGroupIds: [object] } };
    template.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'Photos-burst',
      VpcConfig,
    });
    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
      SourceSecurityGroupId: VpcConfig.SecurityGroupIds[0],
      ToPort: 5432,
    });
    expect(() => new Fanfold(emptyStack(), 'Fanfold').connections).toThrow(/VPC/);
  });

  it('encrypts all queues with a key that all who need it may use', () => {
    const stack = emptyStack();
    const encryptionKey = new Key(stack, 'Key');
    new Fanfold(stack, 'Fanfold', { encryptionKey });
    const template = Template.fromStack(stack);
    const queues = Object.values(template.findResources('AWS::SQS::Queue'));
    expect(queues.map(({ Properties }) => Properties.KmsMasterKeyId !== undefined)).toEqual([
      true,
      true,
      true,
    ]);
    for (const name of ['Photos-seed', 'Photos-worker']) {
      const kms = allowedTo(template, name).filter((line) => line.startsWith('kms:'));
      expect(kms.map((line) => line.split(' ')[0])).toEqual(['kms:Decrypt', 'kms:GenerateDataKey']);
    }
    const statements = keyStatements(template);
    expect(statements.map(({ Action }) => Action)).toEqual(
      Array(4).fill(['kms:GenerateDataKey', 'kms:Decrypt']),
    );
    // SQS uses it for them; they themselves may not.
    const via = { 'Fn::Join': ['', ['sqs.', { Ref: 'AWS::Region' }, '.*']] };
    expect(statements.map(({ Condition }) => Condition)).toEqual(
      Array(4).fill({ StringLike: { 'kms:ViaService': via } }),
    );
  });

  it('grants the key behind an alias, whose own ARN would grant nothing', () => {
    const stack = emptyStack();
    const key = new Key(stack, 'Key');
    new Fanfold(stack, 'Fanfold', { encryptionKey: key.addAlias('photos') });
    const statements = keyStatements(Template.fromStack(stack));
    expect(statements).toHaveLength(4);
    for (const { Resource } of statements) expect(Resource).toEqual(stack.resolve(key.keyArn));
  });

  it('grants the keys that have an alias, where that alone is known', () => {
    const stack = emptyStack();
    const encryptionKey = Alias.fromAliasName(stack, 'Key', 'alias/photos');
    new Fanfold(stack, 'Fanfold', { encryptionKey });
    const statements = keyStatements(Template.fromStack(stack));
    expect(statements).toHaveLength(4);
    for (const { Condition } of statements) {
      expect(Condition).toMatchObject({
        'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/photos' },
      });
    }
  });

  it('lets the seed read the buckets that inputs are in, and no other', () => {
    const stack = emptyStack();
    const inputBuckets = [Bucket.fromBucketName(stack, 'Inputs', 'my-inputs')];
    new Fanfold(stack, 'Fanfold', { inputBuckets });
    const s3 = allowedTo(Template.fromStack(stack), 'Photos-seed').filter((line) =>
      line.startsWith('s3:'),
    );
    expect(s3).toEqual([
      's3:GetObject on arn:AWS::Partition:s3:::my-inputs/*',
      's3:ListBucket on arn:AWS::Partition:s3:::my-inputs',
    ]);
  });

  it('lets the seed read a part of a bucket', () => {
    const stack = emptyStack();
    const bucket = Bucket.fromBucketName(stack, 'Inputs', 'my-inputs');
    const inputBuckets = ['2025/', '2026/'].map((prefix) => ({ bucket, prefix }));
    new Fanfold(stack, 'Fanfold', { inputBuckets });
    const template = Template.fromStack(stack);
    expect(allowedTo(template, 'Photos-seed').filter((line) => line.startsWith('s3:'))).toEqual([
      's3:GetObject on arn:AWS::Partition:s3:::my-inputs/2025/*',
      's3:GetObject on arn:AWS::Partition:s3:::my-inputs/2026/*',
      's3:ListBucket on arn:AWS::Partition:s3:::my-inputs',
    ]);
    expect(statementsOf(template).filter(({ Action }) => Action === 's3:ListBucket')).toMatchObject(
      [{ Condition: { StringLike: { 's3:prefix': ['2025/*', '2026/*'] } } }],
    );
  });

  it.each(['', 'a*', 'a?', 'a$'])('refuses the prefix %j', (prefix) => {
    const bucket = Bucket.fromBucketName(emptyStack(), 'Inputs', 'my-inputs');
    expect(refusal({ inputBuckets: [{ bucket, prefix }] })).toMatchObject({
      name: 'FanfoldPropsError',
      message: expect.stringContaining(`"inputs/", without "*", "?" and "$"; "${prefix}" came`),
    });
  });
});

describe('what untyped code gives', () => {
  /** A deployment of props that no type has looked at. */
  const untyped = (props: unknown) => refusal(props as FanfoldProps);
  const stackOf = (props: object) =>
    new FanfoldStack(new App({ context: { 'aws:cdk:bundling-stacks': [] } }), 'Photos', props);

  it.each([
    [{ maxConcurrency: '5' }, '`maxConcurrency` is a whole number from 2 to 1000; "5" came.'],
    [{ memorySize: 'x' }, '`memorySize` is a whole number from 128 to 10240; "x" came.'],
    [{ memorySize: Symbol('x') }, '`memorySize` is a whole number from 128 to 10240; Symbol(x)'],
    [{ logLevel: 'debug' }, '`logLevel` is one of DEBUG, INFO, WARN, ERROR; "debug" came.'],
    [{ tracing: true }, '`tracing` is one of Active, PassThrough, Disabled; true came.'],
    [{ reserveBurst: 1 }, '`reserveBurst` is true or false; 1 came.'],
    [{ inputBuckets: [{ prefix: 'a/' }] }, '`inputBuckets` is a list of buckets, such as '],
    [{ burst: null }, '`burst` is a whole number from 0 to 98; null came.'],
    [{ burst: [3] }, '`burst` is a whole number from 0 to 98; a list came.'],
    [{ timeout: 30 }, '`timeout` is a Duration, such as Duration.minutes(5); 30 came.'],
    [{ timeout: {} }, '`timeout` is a Duration, such as Duration.minutes(5); an object came.'],
    [{ tasks: 7 }, '`tasks` is the path of your tasks module, a text; 7 came.'],
    [
      { tasks: undefined },
      '`tasks` is the path of your tasks module, a text; undefined came. Leave it out for the tasks that ship.',
    ],
    [{ name: 5 }, '`name` is a text; 5 came.'],
    [{ architecture: 'arm64' }, '`architecture` is Architecture.ARM_64 or Architecture.X86_64; "'],
    [{ environment: null }, '`environment` is an object with texts, such as { TABLE: "photos" };'],
    [
      { environment: { TABLE: undefined } },
      "an environment variable's value is a text; for TABLE undefined came in `environment`.",
    ],
    [{ vpc: 'vpc-1' }, '`vpc` is a VPC, such as Vpc.fromLookup() gives; "vpc-1" came.'],
    [{ vpcSubnets: 'subnet-1' }, '`vpcSubnets` is a selection of subnets, such as '],
    [{ securityGroups: 'sg-1' }, '`securityGroups` is a list of security groups; "sg-1" came.'],
    [{ securityGroups: ['sg-1'] }, '`securityGroups` is a list of security groups; a list came.'],
    [{ encryptionKey: 'arn:x' }, '`encryptionKey` is a KMS key, such as Key.fromKeyArn() gives; "'],
    [
      { removalPolicy: 'keep' },
      '`removalPolicy` is DESTROY, RETAIN or RETAIN_ON_UPDATE_OR_DELETE, of the CDK\'s RemovalPolicy; "keep" came.',
    ],
    [{ logRetention: 'ONE_DAY' }, '`logRetention` is one of RetentionDays; "ONE_DAY" came, and '],
    [{ alarmTopic: 'arn:x' }, '`alarmTopic` is an SNS topic, such as Topic.fromTopicArn() gives; '],
    [{ alarmTopic: new App() }, 'Topic.fromTopicArn() gives; an object of the class App came.'],
    [{ inputBuckets: 'mine' }, '`inputBuckets` is a list of buckets, such as '],
    [{ inputBuckets: ['mine'] }, '`inputBuckets` is a list of buckets, such as '],
    [{ bundling: 3 }, "`bundling` is an object with esbuild's options, such as "],
    [
      { bundling: { nodeModules: 'sharp' } },
      '`bundling.nodeModules` is a list of names of packages; "sharp" came.',
    ],
    [null, 'its props are an object; null came.'],
  ])('is refused: %o', (props, sentence) => {
    expect(untyped(props)).toMatchObject({
      name: 'FanfoldPropsError',
      message: expect.stringContaining(sentence),
    });
  });

  it.each([
    [{ maxTaskAge: 3600 }, '`maxTaskAge` is a Duration, such as Duration.minutes(5); 3600 came.'],
    [{ inputBuckets: 3 }, '`inputBuckets` is a list of buckets, such as Bucket.fromBucketName() '],
    [{ inputBucketNames: 'mine' }, '`inputBucketNames` is a list of names of buckets; "mine" came'],
    [{ alarmTopicArn: 'alarms' }, '`alarmTopicArn` is the ARN of an SNS topic; "alarms" came.'],
    [{ encryptionKeyArn: 7 }, '`encryptionKeyArn` is the ARN of a KMS key; 7 came.'],
  ])('is refused by the stack: %o', (props, sentence) => {
    expect(() => stackOf(props)).toThrow(`Photos: ${sentence}`);
  });

  it('is refused by what watches', () => {
    const watch = (props: unknown) =>
      new FanfoldMonitoring(emptyStack(), 'Monitoring', props as MonitoringProps);
    expect(() => watch({})).toThrow(
      'Photos/Monitoring: `fanfold` is the Fanfold to watch; undefined came.',
    );
    expect(() => watch({ fanfold: 'Photos' })).toThrow('to watch; "Photos" came.');
  });

  it('may be left undefined, but for the tasks', () => {
    expect(() => templateOf({ timeout: undefined, vpc: undefined } as object)).not.toThrow();
  });
});

describe('tasks', () => {
  it('refuses a module that is not there', () => {
    expect(refusal({ tasks: 'src/no-such-tasks.ts' })).toMatchObject({
      message: `Photos/Fanfold: \`tasks\` is the path of your tasks module, from the folder that the app runs in; ${resolve('src/no-such-tasks.ts')} is not there.`,
    });
    const path = join(tmpdir(), 'no-such-tasks.ts');
    expect(refusal({ tasks: path })).toMatchObject({
      message: expect.stringContaining(`${path} is not there.`),
    });
  });

  it('refuses a folder', () => {
    expect(refusal({ tasks: 'functions/tasks' })).toMatchObject({
      message: expect.stringContaining(`${resolve('functions/tasks')} is not a file.`),
    });
  });
});

describe('context', () => {
  const read = (context: object) => propsFromContext(new App({ context: { ...context } }));

  it('gives the stack its props, as texts or as what they are', () => {
    expect(
      read({ name: 'Photos', tasks: 'a.ts', memorySize: '512', maxConcurrency: 200, other: 1 }),
    ).toEqual({ name: 'Photos', tasks: 'a.ts', memorySize: 512, maxConcurrency: 200 });
    expect(read({})).toEqual({});
    expect(read({ name: null, burst: null, maxTaskAge: null })).toEqual({});
    expect(
      read({
        timeout: '300',
        burst: '0',
        architecture: 'x86_64',
        inputBuckets: 'one,two/2026/',
        logLevel: 'debug',
        tracing: 'disabled',
        reserveBurst: 'true',
        removalPolicy: 'retain',
        logRetention: '90',
        reservedConcurrentExecutions: '120',
        maxTaskAge: '3600',
        alarmTopic: 'arn:aws:sns:us-east-1:111111111111:alarms',
        encryptionKey: 'arn:aws:kms:us-east-1:111111111111:key/1',
      }),
    ).toEqual({
      timeout: Duration.seconds(300),
      burst: 0,
      architecture: Architecture.X86_64,
      inputBucketNames: ['one', 'two/2026/'],
      logLevel: 'DEBUG',
      tracing: Tracing.DISABLED,
      reserveBurst: true,
      removalPolicy: RemovalPolicy.RETAIN,
      logRetention: 90,
      reservedConcurrentExecutions: 120,
      maxTaskAge: Duration.seconds(3600),
      alarmTopicArn: 'arn:aws:sns:us-east-1:111111111111:alarms',
      encryptionKeyArn: 'arn:aws:kms:us-east-1:111111111111:key/1',
    });
  });

  it.each([
    [{ maxConcurrency: 'many' }, '`maxConcurrency` is a whole number; "many" came.'],
    [{ maxConcurrency: '' }, '`maxConcurrency` is a whole number; "" came.'],
    [{ maxConcurrency: '1e3' }, '`maxConcurrency` is a whole number; "1e3" came.'],
    [{ maxConcurrency: '2.5' }, '`maxConcurrency` is a whole number; "2.5" came.'],
    [{ burst: 2.5 }, '`burst` is a whole number; 2.5 came.'],
    [{ burst: '9'.repeat(20) }, '`burst` is a whole number; "99999999999999999999" came.'],
    [{ memorySize: true }, '`memorySize` is a whole number; true came.'],
    [{ maxTaskAge: '0' }, '`maxTaskAge` is a whole number of seconds, 1 or more; 0 came.'],
    [{ maxTaskAge: -1 }, '`maxTaskAge` is a whole number of seconds, 1 or more; -1 came.'],
    [{ timeout: '-300' }, '`timeout` is a whole number of seconds, 1 or more; -300 came.'],
    [{ timeout: 0.5 }, '`timeout` is a whole number; 0.5 came.'],
    [{ tasks: 7 }, '`tasks` is a text; 7 came.'],
    [{ logLevel: 'loud' }, '`logLevel` is debug or info or warn or error; "loud" came.'],
    [{ tracing: 'on' }, '`tracing` is active or passThrough or disabled; "on" came.'],
    [{ reserveBurst: 'yes' }, '`reserveBurst` is true or false; "yes" came.'],
    [{ architecture: 'arm' }, '`architecture` is arm64 or x86_64; "arm" came.'],
    [{ architecture: 'toString' }, '`architecture` is arm64 or x86_64; "toString" came.'],
    [{ removalPolicy: 'snapshot' }, '`removalPolicy` is destroy or retain; "snapshot" came.'],
    [
      { name: 'my_photos' },
      '`name` is 1 to 40 letters, digits and "-", and starts with a letter; "my_photos" came.',
    ],
    [
      { encryptionKey: 'arn:aws:kms:us-east-1:111111111111:alias/mine' },
      '`encryptionKey` is the ARN of a KMS key; "arn:aws:kms:us-east-1:111111111111:alias/mine" came.',
    ],
    [{ alarmTopic: 'x' }, '`alarmTopic` is the ARN of an SNS topic; "x" came.'],
    [
      { nodeModules: 'sharp canvas' },
      '`nodeModules` is names of packages, with commas between them; "sharp canvas" came.',
    ],
    [
      { inputBuckets: 'Mine' },
      '`inputBuckets` is names of buckets or NAME/PREFIX, with commas between them; "Mine" came.',
    ],
  ])('refuses %j', (context, sentence) => {
    expect(() => read(context)).toThrow(`The context value ${sentence}`);
  });

  it.each([
    ['nmae', 'name'],
    ['task', 'tasks'],
    ['max-concurrency', 'maxConcurrency'],
    ['maxConcurency', 'maxConcurrency'],
    ['MemorySize', 'memorySize'],
    ['alarmTopics', 'alarmTopic'],
    ['brust', 'burst'],
  ])('refuses the misspelled %s', (key, known) => {
    expect(() => read({ name: 'Photos', [key]: 'x' })).toThrow(
      `There is no context value \`${key}\`. Did you mean \`${known}\`? Known are name, tasks, memorySize, timeout, `,
    );
  });

  it('lets all keys be that are not its own, nor like them', () => {
    const others = {
      '@aws-cdk/core:name': true,
      'aws:cdk:enable-path-metadata': true,
      'availability-zones:account=111111111111:region=us-east-1': ['us-east-1a'],
      'vpc-provider:account=111111111111:filter.vpc-id=vpc-1:region=us-east-1': {},
      'cli-telemetry': false,
      'acknowledged-issue-numbers': [34892],
      'my/names': 1,
    };
    const ofOtherApps = { stage: 'prod', env: 'x', tags: 'x', date: 'x', type: 'x', region: 'x' };
    expect(read({ ...others, ...ofOtherApps })).toEqual({});
  });

  it('lets keys be that its user gives to all apps', () => {
    const home = mkdtempSync(join(tmpdir(), 'fanfold-home-'));
    onTestFinished(() => rmSync(home, { recursive: true }));
    vi.stubEnv('HOME', home);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(() => read({ names: 'x' })).toThrow('Did you mean `name`?');
    writeFileSync(join(home, '.cdk.json'), '{"context":{"names":"x"}}');
    expect(read({ names: 'x' })).toEqual({});
    expect(() => read({ names: 'x', taks: 'x' })).toThrow('no context value `taks`');
  });
});
