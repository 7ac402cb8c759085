// The bucket, the collector function with its watchdog, and the rules for events of runs.
import { RemovalPolicy } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { describe, expect, it } from 'vitest';
import { Fanfold, type FanfoldProps, FanfoldStack } from '../../cdk/index.ts';
import { folderOf } from '../../src/pipeline/messages/results-place.ts';
import { allowedBy, allowedTo, emptyStack, newApp, only, templateOf } from './synthesis.ts';

const places = (): IBucket => Bucket.fromBucketName(emptyStack('Other'), 'Places', 'reports');

/** Sets `resultPlaces` to a bucket and to a prefix in another one. */
function withPlaces(): FanfoldProps {
  const archive = Bucket.fromBucketName(emptyStack('Other'), 'Archive', 'archive');
  return { resultPlaces: [places(), { bucket: archive, prefix: 'photos/' }] };
}

function variablesOf(template: Template, FunctionName: string): Record<string, unknown> {
  const { Environment } = only(template, 'AWS::Lambda::Function', { FunctionName }).Properties;
  return (Environment as { Variables: Record<string, unknown> }).Variables;
}

/** The conditions on `s3:prefix` in the policies of a template, by the policy's logical id. */
function listed(template: Template, policy: string): unknown[] {
  const { Resources } = template.toJSON();
  const [, found] = Object.entries(Resources).find(([id]) => id.includes(policy)) ?? [];
  const { Statement } = (found as { Properties: { PolicyDocument: { Statement: Listing[] } } })
    .Properties.PolicyDocument;
  return Statement.flatMap(({ Action, Condition }) =>
    Action === 's3:ListBucket' ? [[Condition?.StringLike['s3:prefix']].flat()] : [],
  );
}

interface Listing {
  Action: string | string[];
  Condition?: { StringLike: Record<string, unknown> };
}

describe('the bucket', () => {
  const template = templateOf();
  const { Properties, DeletionPolicy } = only(template, 'AWS::S3::Bucket', {});

  it('is private, encrypted, without versions, and stays when the stack is destroyed', () => {
    expect(Properties).toMatchObject({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } },
        ],
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
    expect(Properties).not.toHaveProperty('VersioningConfiguration');
    // Two accounts may have deployments of one name; AWS makes the name.
    expect(Properties).not.toHaveProperty('BucketName');
    expect(DeletionPolicy).toBe('Retain');
  });

  it('refuses calls without TLS', () => {
    const { logicalId } = only(template, 'AWS::S3::Bucket', {});
    const arn = { 'Fn::GetAtt': [logicalId, 'Arn'] };
    expect(only(template, 'AWS::S3::BucketPolicy', {}).Properties.PolicyDocument).toMatchObject({
      Statement: [
        {
          Effect: 'Deny',
          Principal: { AWS: '*' },
          Action: 's3:*',
          Resource: [arn, { 'Fn::Join': ['', [arn, '/*']] }],
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      ],
    });
  });

  it('deletes payloads after the longest deadline and incomplete uploads, and no results', () => {
    expect(Properties.LifecycleConfiguration).toEqual({
      Rules: [
        { Id: 'payloads', Prefix: 'payloads/', ExpirationInDays: 14, Status: 'Enabled' },
        {
          Id: 'uploads',
          AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
          Status: 'Enabled',
        },
      ],
    });
  });

  it('goes with the stack if `removalPolicy` says so', () => {
    const destroyed = templateOf({ removalPolicy: RemovalPolicy.DESTROY });
    expect(only(destroyed, 'AWS::S3::Bucket', {}).DeletionPolicy).toBe('Delete');
    // Nothing deletes the objects in it.
    expect(JSON.stringify(destroyed)).not.toContain('AutoDelete');
  });

  it('is encrypted with the stack’s key, which S3 asks for once a bucket', () => {
    const stack = emptyStack();
    const encryptionKey = new Key(stack, 'Key');
    new Fanfold(stack, 'Fanfold', { encryptionKey });
    expect(only(Template.fromStack(stack), 'AWS::S3::Bucket', {}).Properties).toMatchObject({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: {
              KMSMasterKeyID: stack.resolve(encryptionKey.keyArn),
              SSEAlgorithm: 'aws:kms',
            },
          },
        ],
      },
    });
  });

  it('may be another one, which is left as it is', () => {
    const stack = emptyStack();
    const encryptionKey = new Key(stack, 'Key');
    const attributes = { bucketArn: 'arn:aws:s3:::mine', encryptionKey };
    const bucket = Bucket.fromBucketAttributes(stack, 'Mine', attributes);
    const fanfold = new Fanfold(stack, 'Fanfold', { bucket });
    expect(fanfold.bucket).toBe(bucket);
    const given = Template.fromStack(stack);
    given.resourceCountIs('AWS::S3::Bucket', 0);
    given.resourceCountIs('AWS::S3::BucketPolicy', 0);
    for (const name of ['seed', 'worker', 'burst', 'collector']) {
      expect(variablesOf(given, `Photos-${name}`).FANFOLD_BUCKET).toBe('mine');
      const kms = allowedTo(given, `Photos-${name}`).filter((line) => line.startsWith('kms:'));
      expect(kms.map((line) => line.split(' ')[0])).toEqual(['kms:Decrypt', 'kms:GenerateDataKey']);
    }
    expect(allowedTo(given, 'Photos-worker')).toContain(
      's3:PutObject on arn:aws:s3:::mine/payloads/*',
    );
    const [{ Condition }] = Object.values(given.findResources('AWS::IAM::Policy')).flatMap(
      ({ Properties: { PolicyDocument } }) =>
        PolicyDocument.Statement.filter(({ Action }: Listing) => Action.includes('kms:Decrypt')),
    );
    // The queues have no key.
    expect(Condition).toEqual({ StringLike: { 'kms:ViaService': 's3.*' } });
  });

  it('and places for results may have names, for the app of a clone', () => {
    const stack = new FanfoldStack(newApp(), 'Photos', {
      bucketName: 'mine',
      resultPlaceNames: ['reports', 'archive/photos/'],
    });
    const named = variablesOf(Template.fromStack(stack), 'Photos-collector');
    expect(named).toMatchObject({
      FANFOLD_BUCKET: 'mine',
      FANFOLD_RESULT_PLACES: '["s3://mine/runs/","s3://reports/","s3://archive/photos/"]',
    });
  });
});

describe('places for results', () => {
  it('are known to the seed and the collector, which refuse all others', () => {
    const template = templateOf(withPlaces());
    const [bucket] = Object.keys(template.findResources('AWS::S3::Bucket'));
    const expected = {
      'Fn::Join': [
        '',
        ['["s3://', { Ref: bucket }, '/runs/","s3://reports/","s3://archive/photos/"]'],
      ],
    };
    for (const name of ['Photos-seed', 'Photos-collector']) {
      expect(variablesOf(template, name).FANFOLD_RESULT_PLACES).toEqual(expected);
    }
    for (const name of ['Photos-worker', 'Photos-burst']) {
      expect(variablesOf(template, name)).not.toHaveProperty('FANFOLD_RESULT_PLACES');
    }
  });

  it('are open to the collector and to operators, and closed to workers and the seed', () => {
    const template = templateOf(withPlaces());
    const lines = (grants: string[]) => grants.filter((line) => line.includes(':s3:::'));
    const reports = 'arn:AWS::Partition:s3:::reports';
    const photos = 'arn:AWS::Partition:s3:::archive/photos';
    const read = ['s3:DeleteObject', 's3:GetObject', 's3:PutObject'];
    const written = ['s3:AbortMultipartUpload', ...read];
    const on = (actions: string[]) =>
      [
        ...actions.flatMap((action) => [`${action} on ${photos}/*`, `${action} on ${reports}/*`]),
        's3:ListBucket on arn:AWS::Partition:s3:::archive',
        `s3:ListBucket on ${reports}`,
      ].sort();
    const uploads = ['archive', 'reports'].map(
      (bucket) => `s3:ListBucketMultipartUploads on arn:AWS::Partition:s3:::${bucket}`,
    );
    expect(lines(allowedTo(template, 'Photos-collector'))).toEqual(
      [...on(written), ...uploads].sort(),
    );
    expect(lines(allowedBy(template, 'Photos-operator'))).toEqual(on(read));
    for (const name of ['Photos-seed', 'Photos-worker', 'Photos-burst']) {
      expect(lines(allowedTo(template, name))).toEqual([]);
    }
    expect(lines(allowedBy(template, 'Photos-work'))).toEqual([]);
  });

  it('are listed by prefix only', () => {
    const template = templateOf(withPlaces());
    for (const policy of ['CollectorRoleDefaultPolicy', 'OperatorPolicy']) {
      // A whole bucket, the deployment's own bucket, a prefix of another one.
      expect(listed(template, policy)).toEqual([
        [undefined],
        ['runs/*', 'payloads/*'],
        ['photos/*'],
      ]);
    }
  });

  it.each(['', 'a*', 'a?', 'a$'])('refuse the prefix %j', (prefix) => {
    expect(() => templateOf({ resultPlaces: [{ bucket: places(), prefix }] })).toThrow(
      `a prefix in \`resultPlaces\` must be the start of keys, such as "results/", without "*", "?" and "$"; got "${prefix}"`,
    );
  });

  it.each(["it's/", '/abc/', 'a//b/', 'a&b/'])(
    'refuse the prefix %j, which no request can name',
    (prefix) => {
      expect(() => templateOf({ resultPlaces: [{ bucket: places(), prefix }] })).toThrow(
        `must have no empty folder; got ${JSON.stringify(prefix)}`,
      );
      expect(() => folderOf(`s3://reports/${prefix}`)).toThrow('no empty folder');
    },
  );

  it('are folders, as in requests', () => {
    const stack = emptyStack();
    const resultPlaces = [{ bucket: places(), prefix: 'abc' }];
    new Fanfold(stack, 'Fanfold', { resultPlaces });
    const template = Template.fromStack(stack);
    expect(listed(template, 'CollectorRoleDefaultPolicy')).toContainEqual(['abc/*']);
    const variables = JSON.stringify(variablesOf(template, 'Photos-collector'));
    expect(variables).toContain('s3://reports/abc/');
  });

  it('refuse the payloads of the own bucket, and a bucket whose name is none', () => {
    const bucket = Bucket.fromBucketName(emptyStack('Other'), 'Own', 'own-bucket');
    for (const prefix of ['payloads', 'payloads/', 'payloads/mine/']) {
      expect(() => templateOf({ bucket, resultPlaces: [{ bucket, prefix }] })).toThrow(
        'must not name "payloads/" in the deployment\'s own bucket',
      );
    }
    const other = [{ bucket: places(), prefix: 'payloads/' }];
    expect(() => templateOf({ bucket, resultPlaces: other })).not.toThrow();
    const old = Bucket.fromBucketName(emptyStack('Old'), 'Old', 'Old_Bucket');
    expect(() => templateOf({ resultPlaces: [old] })).toThrow('small letters');
  });

  it('are refused if there are more than a policy can name, or no collector', () => {
    const stack = emptyStack('Other');
    const resultPlaces = Array.from({ length: 30 }, (_, at) =>
      Bucket.fromBucketName(stack, `Bucket${at}`, `a-bucket-of-a-longer-name-${at}`),
    );
    expect(() => templateOf({ resultPlaces })).toThrow(
      /^Photos\/Fanfold: `resultPlaces` has 1\d\d\d bytes as a list of URLs; .* room for 960/,
    );
    expect(() => templateOf({ ...withPlaces(), s3Results: false })).toThrow(
      '`resultPlaces` are for the collector function, which `s3Results: false` leaves out',
    );
  });
});

describe('the collector function', () => {
  const template = templateOf();

  it('has neither the tasks’ environment nor their VPC, nor a reservation', () => {
    const own = templateOf({ environment: { TABLE: 'photos' }, reserveBurst: true });
    const { Properties } = only(own, 'AWS::Lambda::Function', { FunctionName: 'Photos-collector' });
    expect(variablesOf(own, 'Photos-collector')).not.toHaveProperty('TABLE');
    expect(Properties).not.toHaveProperty('ReservedConcurrentExecutions');
    expect(Properties).not.toHaveProperty('VpcConfig');
    expect(Properties).not.toHaveProperty('EphemeralStorage');
  });

  it('may emit no events but Fanfold’s', () => {
    const policies = Object.values(template.findResources('AWS::IAM::Policy'));
    const statements = policies.flatMap(({ Properties }) => Properties.PolicyDocument.Statement);
    expect(statements.filter(({ Action }) => Action === 'events:PutEvents')).toEqual([
      expect.objectContaining({ Condition: { StringEquals: { 'events:source': 'fanfold' } } }),
    ]);
  });

  it('looks for dead collectors every five minutes', () => {
    const { logicalId } = only(template, 'AWS::Lambda::Function', {
      FunctionName: 'Photos-collector',
    });
    const Arn = { 'Fn::GetAtt': [logicalId, 'Arn'] };
    const rule = only(template, 'AWS::Events::Rule', { Name: 'Photos-watchdog' });
    expect(rule.Properties).toMatchObject({
      ScheduleExpression: 'rate(5 minutes)',
      State: 'ENABLED',
      Targets: [{ Arn, Input: '{"watch":true}' }],
    });
    expect(only(template, 'AWS::Lambda::Permission', {}).Properties).toEqual({
      Action: 'lambda:InvokeFunction',
      FunctionName: Arn,
      Principal: 'events.amazonaws.com',
      SourceArn: { 'Fn::GetAtt': [rule.logicalId, 'Arn'] },
    });
  });

  it('is left out with its watchdog and alarm if `s3Results` is false, but the bucket is not', () => {
    const stack = emptyStack();
    const fanfold = new Fanfold(stack, 'Fanfold', { s3Results: false });
    expect([fanfold.collectorFunction, fanfold.collectorRole, fanfold.collectorLogs]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    const without = Template.fromStack(stack);
    expect(JSON.stringify(without).match(/\w*(-collector|GivenUp)/g)).toBeNull();
    without.resourceCountIs('AWS::Events::Rule', 0);
    without.resourceCountIs('AWS::Lambda::Permission', 0);
    const payloads = on('FanfoldBucket/payloads/*', 's3:GetObject', 's3:PutObject');
    expect(ofS3(allowedTo(without, 'Photos-worker'))).toEqual(payloads);
    expect(ofS3(allowedBy(without, 'Photos-work'))).toEqual(payloads);
    expect(ofS3(allowedTo(without, 'Photos-seed'))).toEqual(payloads.slice(1));
    expect(ofS3(allowedBy(without, 'Photos-operator'))).toEqual([
      's3:DeleteObject on FanfoldBucket/payloads/*',
      's3:GetObject on FanfoldBucket/payloads/*',
      's3:ListBucket on FanfoldBucket',
      's3:PutObject on FanfoldBucket/payloads/*',
    ]);
    expect(variablesOf(without, 'Photos-seed')).not.toHaveProperty('FANFOLD_RESULT_PLACES');
  });

  const on = (resource: string, ...actions: string[]) =>
    actions.map((action) => `${action} on ${resource}`);
  const ofS3 = (lines: string[]) => lines.filter((line) => line.startsWith('s3:'));
});

describe('rules for events', () => {
  it('are of this deployment’s runs, with what the app adds', () => {
    const stack = emptyStack();
    const fanfold = new Fanfold(stack, 'Fanfold');
    const topic = new Topic(stack, 'Topic');
    const started = fanfold.onRunStarted('Began', { ruleName: 'photos-began' });
    fanfold.onRunEnded('Mail', {
      target: new SnsTopic(topic),
      description: 'Mails the end of a run.',
      eventPattern: { detail: { task: ['resize'] } },
    });
    const template = Template.fromStack(stack);
    expect(started.ruleName).toBeDefined();
    expect(only(template, 'AWS::Events::Rule', { Name: 'photos-began' }).Properties).toEqual({
      Name: 'photos-began',
      EventPattern: {
        source: ['fanfold'],
        'detail-type': ['Fanfold Run Started'],
        detail: { deployment: ['Photos'] },
      },
      State: 'ENABLED',
    });
    template.hasResourceProperties('AWS::Events::Rule', {
      Description: 'Mails the end of a run.',
      EventPattern: {
        source: ['fanfold'],
        'detail-type': ['Fanfold Run Ended'],
        detail: { deployment: ['Photos'], task: ['resize'] },
      },
      Targets: [Match.objectLike({ Arn: stack.resolve(topic.topicArn) })],
    });
  });

  it('are refused if nothing emits events', () => {
    const fanfold = new Fanfold(emptyStack(), 'Fanfold', { s3Results: false });
    for (const make of [fanfold.onRunStarted, fanfold.onRunEnded]) {
      expect(() => make.call(fanfold, 'Mail')).toThrow(
        'Photos/Fanfold: the rule "Mail" would receive nothing: only runs with results in S3 have',
      );
    }
  });
});
