import { CreateQueueCommand, SetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { checkKnown } from './functions.ts';
import type { Intrinsics } from './intrinsics.ts';
import { resourcesOf } from './principals.ts';
import { type Template, TemplateError } from './template.ts';

/** Properties of a queue that are attributes of the same name. */
const ATTRIBUTES = [
  'ContentBasedDeduplication',
  'DeduplicationScope',
  'DelaySeconds',
  'FifoQueue',
  'FifoThroughputLimit',
  'KmsDataKeyReusePeriodSeconds',
  'KmsMasterKeyId',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
  'RedriveAllowPolicy',
  'RedrivePolicy',
  'SqsManagedSseEnabled',
  'VisibilityTimeout',
];

/** Makes a template's queues with all their attributes, then gives them their policies. */
export async function createQueues(
  sqs: SQSClient,
  template: Template,
  intrinsics: Intrinsics,
): Promise<void> {
  const queues = resourcesOf(template, intrinsics, 'AWS::SQS::Queue');
  // A redrive policy names a queue that must exist.
  const order = (properties: object) => ('RedrivePolicy' in properties ? 1 : 0);
  queues.sort((one, other) => order(one.properties) - order(other.properties));
  for (const queue of queues) {
    checkKnown(queue, [...ATTRIBUTES, 'QueueName', 'Tags']);
    const { attributes, ref } = intrinsics.identity(queue.logicalId);
    const { Tags = [] } = queue.properties as { Tags?: { Key: string; Value: string }[] };
    const { QueueUrl } = await sqs.send(
      new CreateQueueCommand({
        QueueName: attributes.QueueName,
        Attributes: attributesOf(queue.properties),
        tags: Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value])),
      }),
    );
    if (QueueUrl !== ref) throw new TemplateError(`${ref} was expected; ${QueueUrl} was made.`);
  }
  for (const policy of resourcesOf(template, intrinsics, 'AWS::SQS::QueuePolicy')) {
    const Policy = JSON.stringify(policy.properties.PolicyDocument);
    for (const QueueUrl of policy.properties.Queues as string[]) {
      await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
    }
  }
}

function attributesOf(properties: Readonly<Record<string, unknown>>): Record<string, string> {
  const given = Object.entries(properties).filter(([name]) => ATTRIBUTES.includes(name));
  return Object.fromEntries(
    given.map(([name, value]) => [
      name,
      typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]),
  );
}
