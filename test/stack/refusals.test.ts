// Deployments that would fail on AWS, or do nothing there: each ends the synthesis with a sentence.
import { Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import {
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  type IVpc,
  SubnetType,
  Vpc,
  type VpcProps,
} from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { describe, expect, it } from 'vitest';
import { Fanfold, type FanfoldProps, FanfoldStack } from '../../cdk/index.ts';
import { emptyStack, newApp, templateOf } from './synthesis.ts';

const FRANKFURT = { account: '111111111111', region: 'eu-central-1' };

describe('two deployments of one name', () => {
  it.each([
    ['of one region', FRANKFURT, FRANKFURT],
    ['of which no region is known', {}, {}],
  ])('are refused, also in stacks %s', (_, env, otherEnv) => {
    const app = newApp();
    const one = new Stack(app, 'One', { env });
    new Fanfold(one, 'A', { name: 'photos' });
    const twin = 'One/A also has the name "photos"';
    expect(() => new Fanfold(one, 'B', { name: 'photos' })).toThrow(`One/B: ${twin}`);
    const other = new Stack(app, 'Other', { env: otherEnv });
    expect(() => new Fanfold(other, 'C', { name: 'photos' })).toThrow(`Other/C: ${twin}`);
    expect(() => new Fanfold(other, 'D', { name: 'other' })).not.toThrow();
  });

  it.each([
    ['regions', { ...FRANKFURT, region: 'us-east-1' }],
    ['accounts', { ...FRANKFURT, account: '222222222222' }],
  ])('may be in two %s', (_, env) => {
    const app = newApp();
    new Fanfold(new Stack(app, 'One', { env: FRANKFURT }), 'A', { name: 'photos' });
    const other = new Stack(app, 'Other', { env });
    expect(() => new Fanfold(other, 'B', { name: 'photos' })).not.toThrow();
  });
});

describe('an environment', () => {
  const ofBytes = (bytes: number) => ({ environment: { TEXT: 'x'.repeat(bytes) } });

  it('may be 4 KB long with Fanfold’s own variables, and no more', () => {
    // The seed has most, FANFOLD_WORKERS and FANFOLD_BURST among them.
    expect(() => templateOf(ofBytes(3700))).not.toThrow();
    expect(() => templateOf(ofBytes(3850))).toThrow(
      /^Photos\/Fanfold: `environment` and Fanfold's own variables have 4\d\d\d bytes as JSON; Lambda allows 4096/,
    );
    // In bytes of UTF-8, of which such letters take two.
    expect(() => templateOf({ environment: { TEXT: 'é'.repeat(2000) } })).toThrow('bytes as JSON');
  });
});

describe('input buckets', () => {
  const buckets = (count: number, prefix?: string): FanfoldProps => {
    const stack = emptyStack('Other');
    const all = Array.from({ length: count }, (_, at) =>
      Bucket.fromBucketName(stack, `Bucket${at}`, `a-bucket-of-a-longer-name-${at}`),
    );
    const inputBuckets = prefix === undefined ? all : all.map((bucket) => ({ bucket, prefix }));
    return { inputBuckets };
  };

  it('fit into the policies of the seed’s role', () => {
    expect(() => templateOf(buckets(50))).not.toThrow();
    const tooMany =
      /^Photos\/Fanfold: `inputBuckets` produces a policy statement of \d+ characters; .* 6144/;
    expect(() => templateOf(buckets(200))).toThrow(tooMany);
    expect(() => templateOf(buckets(20, 'x'.repeat(400)))).toThrow(tooMany);
  });
});

describe('a resource of another region', () => {
  const TOPIC = 'arn:aws:sns:us-east-1:111111111111:alarms';
  const KEY = 'arn:aws:kms:us-east-1:111111111111:key/1';

  it.each<[string, (stack: Stack) => FanfoldProps]>([
    ['alarmTopic', (stack) => ({ alarmTopic: Topic.fromTopicArn(stack, 'T', TOPIC) })],
    [
      'bucket',
      (stack) => ({
        bucket: Bucket.fromBucketAttributes(stack, 'B', {
          bucketName: 'mine',
          region: 'us-east-1',
        }),
      }),
    ],
    ['encryptionKey', (stack) => ({ encryptionKey: Key.fromKeyArn(stack, 'K', KEY) })],
  ])('is refused as %s', (prop, propsOf) => {
    const stackIn = (region: string) => new Stack(newApp(), 'Photos', { env: { region } });
    const make = (stack: Stack) => () => new Fanfold(stack, 'Fanfold', propsOf(stack));
    expect(make(stackIn('eu-central-1'))).toThrow(
      `Photos/Fanfold: \`${prop}\` is in us-east-1 and the stack in eu-central-1`,
    );
    expect(make(stackIn('us-east-1'))).not.toThrow();
    expect(make(emptyStack())).not.toThrow();
  });

  it('is refused as the topic of alarms', () => {
    const make = () =>
      new FanfoldStack(newApp(), 'Photos', { env: FRANKFURT, alarmTopicArn: TOPIC });
    expect(make).toThrow('Photos/Monitoring: `alarmTopic` is in us-east-1');
  });
});

describe('workers in isolated subnets', () => {
  const ISOLATED = {
    natGateways: 0,
    subnetConfiguration: [{ name: 'workers', subnetType: SubnetType.PRIVATE_ISOLATED }],
  };

  /** CDK's own class does not fit its interface under exactOptionalPropertyTypes. */
  const vpcOf = (stack: Stack, props: VpcProps) => new Vpc(stack, 'Vpc', props) as IVpc;

  function inVpc(endpoints: readonly ('SQS' | 'LAMBDA')[], props: FanfoldProps = {}): () => void {
    return () => {
      const stack = emptyStack();
      const vpc = vpcOf(stack, ISOLATED);
      new Fanfold(stack, 'Fanfold', { vpc, ...props });
      // An endpoint may be created after the deployment, too.
      for (const name of endpoints) {
        vpc.addInterfaceEndpoint(name, { service: InterfaceVpcEndpointAwsService[name] });
      }
      Template.fromStack(stack);
    };
  }

  it('need endpoints of the services that they call', () => {
    expect(inVpc([])).toThrow(
      /\[Photos\/Fanfold\] workers in isolated subnets cannot reach sqs and lambda: create endpoints \(vpc.addInterfaceEndpoint\('sqs'/,
    );
    expect(inVpc(['SQS'])).toThrow('cannot reach lambda: ');
    expect(inVpc(['SQS', 'LAMBDA'])).not.toThrow();
    expect(inVpc(['SQS'], { burst: 0 })).not.toThrow();
  });

  it.each([
    ['without', false],
    ['with', true],
  ])('are warned %s an endpoint of S3, which only large inputs and outputs need', (_, has) => {
    const stack = emptyStack();
    const vpc = vpcOf(stack, ISOLATED);
    new Fanfold(stack, 'Fanfold', { vpc, burst: 0 });
    vpc.addInterfaceEndpoint('sqs', { service: InterfaceVpcEndpointAwsService.SQS });
    if (has) vpc.addGatewayEndpoint('s3', { service: GatewayVpcEndpointAwsService.S3 });
    const found = Annotations.fromStack(stack).findWarning(
      '/Photos/Fanfold',
      Match.stringLikeRegexp('cannot reach S3.*addGatewayEndpoint.*fanfold:noS3'),
    );
    expect(found).toHaveLength(has ? 0 : 1);
  });

  it('are no others: subnets with a NAT, or of a VPC that is not the app’s', () => {
    const stack = emptyStack();
    new Fanfold(stack, 'Fanfold', { vpc: vpcOf(stack, { natGateways: 1 }) });
    const vpc = Vpc.fromVpcAttributes(stack, 'Imported', {
      vpcId: 'vpc-0123456789abcdef0',
      availabilityZones: ['us-east-1a'],
      isolatedSubnetIds: ['subnet-0123456789abcdef0'],
    });
    const vpcSubnets = { subnetType: SubnetType.PRIVATE_ISOLATED };
    new Fanfold(stack, 'Other', { name: 'other', vpc, vpcSubnets });
    expect(() => Template.fromStack(stack)).not.toThrow();
  });
});
