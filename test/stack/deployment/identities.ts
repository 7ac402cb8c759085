import type { Place } from './template.ts';

/** The values of `Ref` and `Fn::GetAtt` for a resource. */
export interface Identity {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

interface Named {
  readonly logicalId: string;
  readonly place: Place;
  /** A resolved text property; undefined if the template does not have it. */
  text(property: string): string | undefined;
}

type Identify = (resource: Named) => Identity;

/** A name like those that CloudFormation generates. */
function generated({ logicalId, place }: Named): string {
  return `${place.stackName}-${logicalId}-1A2B3C4D5E6F`;
}

function arn({ accountId, region }: Place, service: string, resource: string): string {
  return `arn:aws:${service}:${region}:${accountId}:${resource}`;
}

/** Resources of which only the id is known. */
const plain: Identify = ({ logicalId }) => ({ ref: logicalId, attributes: {} });

const queue: Identify = (resource) => {
  const name = resource.text('QueueName') ?? generated(resource);
  const url = `${resource.place.endpoint}/${resource.place.accountId}/${name}`;
  const Arn = arn(resource.place, 'sqs', name);
  return { ref: url, attributes: { Arn, QueueName: name, QueueUrl: url } };
};

const lambdaFunction: Identify = (resource) => {
  const ref = resource.text('FunctionName') ?? generated(resource);
  return { ref, attributes: { Arn: arn(resource.place, 'lambda', `function:${ref}`) } };
};

const role: Identify = (resource) => {
  const ref = resource.text('RoleName') ?? generated(resource);
  const path = resource.text('Path') ?? '/';
  const Arn = `arn:aws:iam::${resource.place.accountId}:role${path}${ref}`;
  return { ref, attributes: { Arn, RoleId: `AROA${resource.logicalId}` } };
};

const managedPolicy: Identify = (resource) => {
  const name = resource.text('ManagedPolicyName') ?? generated(resource);
  const path = resource.text('Path') ?? '/';
  const ref = `arn:aws:iam::${resource.place.accountId}:policy${path}${name}`;
  return { ref, attributes: { PolicyArn: ref } };
};

const logGroup: Identify = (resource) => {
  const ref = resource.text('LogGroupName') ?? generated(resource);
  return { ref, attributes: { Arn: arn(resource.place, 'logs', `log-group:${ref}:*`) } };
};

const bucket: Identify = (resource) => {
  const ref = resource.text('BucketName') ?? generated(resource).toLowerCase();
  const DomainName = `${ref}.s3.amazonaws.com`;
  return { ref, attributes: { Arn: `arn:aws:s3:::${ref}`, DomainName } };
};

const key: Identify = (resource) => {
  const digits = Buffer.from(resource.logicalId).toString('hex').padStart(12, '0').slice(-12);
  const ref = `00000000-0000-4000-8000-${digits}`;
  return { ref, attributes: { Arn: arn(resource.place, 'kms', `key/${ref}`), KeyId: ref } };
};

const topic: Identify = (resource) => {
  const TopicName = resource.text('TopicName') ?? generated(resource);
  const ref = arn(resource.place, 'sns', TopicName);
  return { ref, attributes: { TopicArn: ref, TopicName } };
};

const alarm: Identify = (resource) => {
  const ref = resource.text('AlarmName') ?? generated(resource);
  return { ref, attributes: { Arn: arn(resource.place, 'cloudwatch', `alarm:${ref}`) } };
};

const rule: Identify = (resource) => {
  const ref = resource.text('Name') ?? generated(resource);
  return { ref, attributes: { Arn: arn(resource.place, 'events', `rule/${ref}`) } };
};

const dashboard: Identify = (resource) => ({
  ref: resource.text('DashboardName') ?? generated(resource),
  attributes: {},
});

/** The supported types of resources; a template with any other is refused. */
export const IDENTITIES: Readonly<Record<string, Identify>> = {
  'AWS::CDK::Metadata': plain,
  'AWS::CloudWatch::Alarm': alarm,
  'AWS::CloudWatch::CompositeAlarm': alarm,
  'AWS::CloudWatch::Dashboard': dashboard,
  'AWS::Events::Rule': rule,
  'AWS::IAM::ManagedPolicy': managedPolicy,
  'AWS::IAM::Policy': plain,
  'AWS::IAM::Role': role,
  'AWS::KMS::Alias': plain,
  'AWS::KMS::Key': key,
  'AWS::Lambda::EventInvokeConfig': plain,
  'AWS::Lambda::EventSourceMapping': plain,
  'AWS::Lambda::Function': lambdaFunction,
  'AWS::Lambda::Permission': plain,
  'AWS::Logs::LogGroup': logGroup,
  'AWS::Logs::MetricFilter': plain,
  'AWS::Logs::QueryDefinition': plain,
  'AWS::S3::Bucket': bucket,
  'AWS::S3::BucketPolicy': plain,
  'AWS::SNS::Topic': topic,
  'AWS::SNS::TopicPolicy': plain,
  'AWS::SQS::Queue': queue,
  'AWS::SQS::QueuePolicy': plain,
};
