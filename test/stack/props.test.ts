import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CfnParameter, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Port, SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Alias, Key } from 'aws-cdk-lib/aws-kms';
import { Architecture, Tracing } from 'aws-cdk-lib/aws-lambda';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { describe, expect, it } from 'vitest';
import { propsFromContext } from '../../cdk/context.ts';
import { Fanfold, type FanfoldProps, FanfoldStack } from '../../cdk/index.ts';
import { allowedTo, emptyStack, newApp, only, templateOf } from './synthesis.ts';

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

/** The statements of a template's policies. */
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
      message: `Photos/Fanfold: a deployment's name must be 1 to 40 letters, digits, "-" and "_", and start with a letter or digit; got "${name}" (${length} characters).`,
    });
  });

  it.each(['photos-run', 'photos-run-2', '-run', 'a-run-'])('refuses %j', (name) => {
    expect(refusal({ name })).toMatchObject({
      message: expect.stringMatching(name.startsWith('-') ? /start with a letter/ : /"-run-"/),
    });
  });

  it('explains what to do if the stack’s name is too long', () => {
    const stackName = `Photos${'s'.repeat(35)}`;
    expect(refusal({}, stackName)).toMatchObject({
      message: `${stackName}/Fanfold: a deployment's name must be 1 to 40 letters, digits, "-" and "_", and start with a letter or digit; got the stack's name "${stackName}" (41 characters). Give the construct a \`name\` of its own.`,
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
      message: `Photos/Fanfold: \`${prop}\` must be a whole number ${range}; got ${value}.`,
    });
  });

  it.each([
    [Duration.seconds(0), 0],
    [Duration.millis(1500), 1.5],
    [Duration.days(15), 1_296_000],
  ])('refuse a maxTaskAge of %s', (maxTaskAge, seconds) => {
    const app = newApp();
    expect(() => new FanfoldStack(app, 'Photos', { maxTaskAge })).toThrow(
      `Photos/Monitoring: \`maxTaskAge\` must be a Duration of whole seconds, from 1 to 1209600; got ${seconds}.`,
    );
  });

  it('may be known at deployment only', () => {
    const stack = emptyStack();
    const memory = new CfnParameter(stack, 'Memory', { type: 'Number' });
    expect(() => new Fanfold(stack, 'Fanfold', { memorySize: memory.valueAsNumber })).not.toThrow();
  });

  it('must be known at synthesis if others depend on them', () => {
    const later = new CfnParameter(emptyStack('Other'), 'Later', { type: 'Number' }).valueAsNumber;
    expect(refusal({ timeout: Duration.seconds(later) })).toMatchObject({
      message:
        "Photos/Fanfold: `timeout` must be known at synthesis: the task queue's visibility timeout is a minute longer.",
    });
    expect(refusal({ burst: later })).toMatchObject({
      message:
        'Photos/Fanfold: `burst` must be known at synthesis: the event source gets the rest of `maxConcurrency`.',
    });
  });
});

describe('props that depend on each other', () => {
  it.each([
    [{ burst: 99 }, '`burst` must be a whole number from 0 to 98; got 99.'],
    [{ burst: -1 }, '`burst` must be a whole number from 0 to 98; got -1.'],
    [
      { reservedConcurrentExecutions: 49 },
      '`reservedConcurrentExecutions` must be a whole number from 50 to 10000; got 49.',
    ],
    [
      { timeout: Duration.minutes(16) },
      '`timeout` must be a Duration of whole seconds, from 120 to 900; got 960.',
    ],
    [
      { timeout: Duration.seconds(3) },
      '`timeout` must be a Duration of whole seconds, from 120 to 900; got 3.',
    ],
    [
      { timeout: Duration.millis(200_500) },
      '`timeout` must be a Duration of whole seconds, from 120 to 900; got 200.5.',
    ],
    [
      { removalPolicy: RemovalPolicy.SNAPSHOT },
      '`removalPolicy` must be DESTROY, RETAIN or RETAIN_ON_UPDATE_OR_DELETE; got SNAPSHOT, but queues, logs and buckets have no snapshots.',
    ],
    [
      { logRetention: 45 },
      '`logRetention` must be one of RetentionDays, the numbers of days that CloudWatch supports; got 45.',
    ],
    [{ vpcSubnets: {} }, '`vpcSubnets` requires `vpc`: give the VPC that it belongs to.'],
    [{ securityGroups: [] }, '`securityGroups` requires `vpc`: give the VPC that it belongs to.'],
    [
      { environment: { FANFOLD_NAME: 'x' } },
      "`environment` is for your tasks; FANFOLD_NAME starts like Fanfold's own variables. Rename it.",
    ],
    [
      { environment: { AWS_REGION: 'x' } },
      '`environment` is for your tasks; Lambda sets AWS_REGION itself. Rename it.',
    ],
    [
      { environment: { 'my-table': 'x' } },
      'the name of a variable in `environment` must be two or more letters, digits and "_", and start with a letter; got "my-table".',
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
    const keys = queues.map(({ Properties }) => Properties.KmsMasterKeyId);
    expect(keys.length).toBeGreaterThan(2);
    expect(keys).not.toContain(undefined);
    for (const name of ['Photos-seed', 'Photos-worker', 'Photos-collector']) {
      const kms = allowedTo(template, name).filter((line) => line.startsWith('kms:'));
      expect(kms.map((line) => line.split(' ')[0])).toEqual(['kms:Decrypt', 'kms:GenerateDataKey']);
    }
    const statements = keyStatements(template);
    expect(statements.map(({ Action }) => Action)).toEqual(
      Array(5).fill(['kms:GenerateDataKey', 'kms:Decrypt']),
    );
    // SQS and S3 use the key for them; they cannot use it directly.
    const via = [{ 'Fn::Join': ['', ['sqs.', { Ref: 'AWS::Region' }, '.*']] }, 's3.*'];
    expect(statements.map(({ Condition }) => Condition)).toEqual(
      Array(5).fill({ StringLike: { 'kms:ViaService': via } }),
    );
  });

  it('grants the key behind an alias, whose own ARN would grant nothing', () => {
    const stack = emptyStack();
    const key = new Key(stack, 'Key');
    new Fanfold(stack, 'Fanfold', { encryptionKey: key.addAlias('photos') });
    const statements = keyStatements(Template.fromStack(stack));
    expect(statements).toHaveLength(5);
    for (const { Resource } of statements) expect(Resource).toEqual(stack.resolve(key.keyArn));
  });

  it('grants the keys that have an alias, where that alone is known', () => {
    const stack = emptyStack();
    const encryptionKey = Alias.fromAliasName(stack, 'Key', 'alias/photos');
    new Fanfold(stack, 'Fanfold', { encryptionKey });
    const statements = keyStatements(Template.fromStack(stack));
    expect(statements).toHaveLength(5);
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
      line.includes(':s3:::'),
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
    expect(allowedTo(template, 'Photos-seed').filter((line) => line.includes(':s3:::'))).toEqual([
      's3:GetObject on arn:AWS::Partition:s3:::my-inputs/2025/*',
      's3:GetObject on arn:AWS::Partition:s3:::my-inputs/2026/*',
      's3:ListBucket on arn:AWS::Partition:s3:::my-inputs',
    ]);
    expect(statementsOf(template)).toContainEqual(
      expect.objectContaining({
        Action: 's3:ListBucket',
        Condition: { StringLike: { 's3:prefix': ['2025/*', '2026/*'] } },
      }),
    );
  });

  it.each(['', 'a*', 'a?', 'a$'])('refuses the prefix %j', (prefix) => {
    const bucket = Bucket.fromBucketName(emptyStack(), 'Inputs', 'my-inputs');
    expect(refusal({ inputBuckets: [{ bucket, prefix }] })).toMatchObject({
      name: 'FanfoldPropsError',
      message: expect.stringContaining(`"inputs/", without "*", "?" and "$"; got "${prefix}"`),
    });
  });
});

describe('a prop of untyped code', () => {
  /** A deployment with props that were not type-checked. */
  const untyped = (props: unknown) => refusal(props as FanfoldProps);
  const stackOf = (props: object) => new FanfoldStack(newApp(), 'Photos', props);

  it.each([
    [{ maxConcurrency: '5' }, '`maxConcurrency` must be a whole number from 2 to 1000; got "5".'],
    [{ memorySize: 'x' }, '`memorySize` must be a whole number from 128 to 10240; got "x".'],
    [
      { memorySize: Symbol('x') },
      '`memorySize` must be a whole number from 128 to 10240; got Symbol(x)',
    ],
    [{ logLevel: 'debug' }, '`logLevel` must be one of DEBUG, INFO, WARN, ERROR; got "debug".'],
    [{ tracing: true }, '`tracing` must be one of Active, PassThrough, Disabled; got true.'],
    [{ reserveBurst: 'false' }, '`reserveBurst` must be one of true, false; got "false".'],
    [{ inputBuckets: [{ prefix: 'a/' }] }, '`inputBuckets` must be a list of buckets, such as '],
    [{ burst: null }, '`burst` must be a whole number from 0 to 98; got null.'],
    [{ burst: [3] }, '`burst` must be a whole number from 0 to 98; got a list.'],
    [{ timeout: 30 }, '`timeout` must be a Duration, such as Duration.minutes(5); got 30.'],
    [{ timeout: {} }, '`timeout` must be a Duration, such as Duration.minutes(5); got an object.'],
    [{ tasks: 7 }, '`tasks` must be the path of your tasks module, as a string; got 7.'],
    [
      { tasks: undefined },
      '`tasks` must be the path of your tasks module, as a string; got undefined. Leave it out for the built-in tasks.',
    ],
    [{ name: 5 }, '`name` must be a string; got 5.'],
    [
      { architecture: 'arm64' },
      '`architecture` must be Architecture.ARM_64 or Architecture.X86_64; got "',
    ],
    [
      { environment: null },
      '`environment` must be an object with strings, such as { TABLE: "photos" };',
    ],
    [{ name: 5 }, '`name` must be a string; got 5.'],
    [
      { architecture: 'arm64' },
      '`architecture` must be Architecture.ARM_64 or Architecture.X86_64; got "',
    ],
    [
      { environment: { TABLE: undefined } },
      'the value of the variable TABLE in `environment` must be a string; got undefined.',
    ],
    [{ vpc: 'vpc-1' }, '`vpc` must be a VPC, such as one from Vpc.fromLookup(); got "vpc-1".'],
    [{ vpcSubnets: 'subnet-1' }, '`vpcSubnets` must be a selection of subnets, such as '],
    [{ securityGroups: 'sg-1' }, '`securityGroups` must be a list of security groups; got "sg-1".'],
    [
      { securityGroups: ['sg-1'] },
      '`securityGroups` must be a list of security groups; got a list.',
    ],
    [
      { encryptionKey: 'arn:x' },
      '`encryptionKey` must be a KMS key, such as one from Key.fromKeyArn(); got "',
    ],
    [{ vpc: 'vpc-1' }, '`vpc` must be a VPC, such as one from Vpc.fromLookup(); got "vpc-1".'],
    [{ vpcSubnets: 'subnet-1' }, '`vpcSubnets` must be a selection of subnets, such as '],
    [
      { securityGroups: ['sg-1'] },
      '`securityGroups` must be a list of security groups; got a list.',
    ],
    [
      { encryptionKey: 'arn:x' },
      '`encryptionKey` must be a KMS key, such as one from Key.fromKeyArn(); got "',
    ],
    [
      { removalPolicy: 'keep' },
      '`removalPolicy` must be DESTROY, RETAIN or RETAIN_ON_UPDATE_OR_DELETE, of the CDK\'s RemovalPolicy; got "keep".',
    ],
    [
      { logRetention: 'ONE_DAY' },
      '`logRetention` must be one of RetentionDays, the numbers of days that CloudWatch supports; got "ONE_DAY"',
    ],
    [
      { logRetention: 'ONE_DAY' },
      '`logRetention` must be one of RetentionDays, the numbers of days that CloudWatch supports; got "ONE_DAY"',
    ],
    [
      { alarmTopic: 'arn:x' },
      '`alarmTopic` must be an SNS topic, such as one from Topic.fromTopicArn(); ',
    ],
    [{ alarmTopic: newApp() }, 'Topic.fromTopicArn(); got an object of the class App.'],
    [{ bucket: 'mine' }, '`bucket` must be a bucket, such as one from Bucket.fromBucketName();'],
    [{ s3Results: 'no' }, '`s3Results` must be one of true, false; got "no".'],
    [{ resultPlaces: ['mine'] }, '`resultPlaces` must be a list of buckets, such as '],
    [{ inputBuckets: 'mine' }, '`inputBuckets` must be a list of buckets, such as '],
    [{ inputBuckets: ['mine'] }, '`inputBuckets` must be a list of buckets, such as '],
    [
      { bundling: { nodeModules: 'sharp' } },
      '`bundling.nodeModules` must be a list of names of packages; got "sharp".',
    ],
  ])('is refused: %o', (props, sentence) => {
    expect(untyped(props)).toMatchObject({
      name: 'FanfoldPropsError',
      message: expect.stringContaining(sentence),
    });
  });

  it('is refused by the stack and by what watches', () => {
    expect(() => stackOf({ maxTaskAge: 3600 })).toThrow(
      '`maxTaskAge` must be a Duration, such as Duration.minutes(5); got 3600.',
    );
    expect(() => stackOf({ alarmTopic: 'arn:x' })).toThrow(
      '`alarmTopic` must be an SNS topic, such as',
    );
    expect(() => stackOf({ alarmTopicArn: 'alarms' })).toThrow('ARNs must start with "arn:"');
  });

  it('may be undefined, except for the tasks', () => {
    expect(() => templateOf({ timeout: undefined, vpc: undefined } as object)).not.toThrow();
  });
});

describe('tasks', () => {
  it('refuses a missing module', () => {
    expect(refusal({ tasks: 'src/no-such-tasks.ts' })).toMatchObject({
      message: `Photos/Fanfold: \`tasks\` must be the path of your tasks module, relative to the folder that the app runs in; ${resolve('src/no-such-tasks.ts')} does not exist.`,
    });
    const path = join(tmpdir(), 'no-such-tasks.ts');
    expect(refusal({ tasks: path })).toMatchObject({
      message: expect.stringContaining(`${path} does not exist.`),
    });
  });

  it('refuses a folder', () => {
    expect(refusal({ tasks: 'functions/tasks' })).toMatchObject({
      message: expect.stringContaining(`${resolve('functions/tasks')} is not a file.`),
    });
  });
});

describe('context', () => {
  const read = (context: object) => propsFromContext(newApp({ ...context }));

  it('sets the stack’s props, as strings or typed values', () => {
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
        bucket: 'mine',
        s3Results: 'true',
        resultPlaces: 'three,four/out/',
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
      bucketName: 'mine',
      s3Results: true,
      resultPlaceNames: ['three', 'four/out/'],
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
    [{ maxConcurrency: 'many' }, '`maxConcurrency` must be a whole number; got "many".'],
    [{ maxConcurrency: '' }, '`maxConcurrency` must be a whole number; got "".'],
    [{ maxConcurrency: '1e3' }, '`maxConcurrency` must be a whole number; got "1e3".'],
    [{ maxConcurrency: '2.5' }, '`maxConcurrency` must be a whole number; got "2.5".'],
    [{ burst: 2.5 }, '`burst` must be a whole number; got 2.5.'],
    [{ burst: '9'.repeat(20) }, '`burst` must be a whole number; got "99999999999999999999".'],
    [{ memorySize: true }, '`memorySize` must be a whole number; got true.'],
    [{ maxTaskAge: '0' }, '`maxTaskAge` must be a whole number of seconds, 1 or more; got 0.'],
    [{ maxTaskAge: -1 }, '`maxTaskAge` must be a whole number of seconds, 1 or more; got -1.'],
    [{ timeout: '-300' }, '`timeout` must be a whole number of seconds, 1 or more; got -300.'],
    [{ timeout: 0.5 }, '`timeout` must be a whole number; got 0.5.'],
    [{ tasks: 7 }, '`tasks` must be a string; got 7.'],
    [{ logLevel: 'loud' }, '`logLevel` must be debug or info or warn or error; got "loud".'],
    [{ tracing: 'on' }, '`tracing` must be active or passThrough or disabled; got "on".'],
    [{ reserveBurst: 'yes' }, '`reserveBurst` must be true or false; got "yes".'],
    [{ architecture: 'arm' }, '`architecture` must be arm64 or x86_64; got "arm".'],
    [{ architecture: 'toString' }, '`architecture` must be arm64 or x86_64; got "toString".'],
    [{ removalPolicy: 'snapshot' }, '`removalPolicy` must be destroy or retain; got "snapshot".'],
    [
      { name: 'my_photos' },
      '`name` must be 1 to 40 letters, digits and "-", starting with a letter; got "my_photos".',
    ],
    [
      { encryptionKey: 'arn:aws:kms:us-east-1:111111111111:alias/mine' },
      '`encryptionKey` must be the ARN of a KMS key; got "arn:aws:kms:us-east-1:111111111111:alias/mine".',
    ],
    [{ bucket: 'Mine' }, '`bucket` must be the name of a bucket; got "Mine".'],
    [{ s3Results: 'yes' }, '`s3Results` must be true or false; got "yes".'],
    [{ resultPlaces: 'Mine' }, '`resultPlaces` must be names of buckets or NAME/PREFIX, '],
    [{ alarmTopic: 'x' }, '`alarmTopic` must be the ARN of an SNS topic; got "x".'],
    [
      { nodeModules: 'sharp canvas' },
      '`nodeModules` must be names of packages, separated by commas; got "sharp canvas".',
    ],
    [
      { inputBuckets: 'Mine' },
      '`inputBuckets` must be names of buckets or NAME/PREFIX, separated by commas; got "Mine".',
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
      `There is no context value \`${key}\`. Did you mean \`${known}\`? Known values: name, tasks, memorySize, timeout, `,
    );
  });

  it('accepts keys that do not resemble its own', () => {
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
});
