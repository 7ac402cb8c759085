/**
 * The type of a parameter in SQS's service model. In the Query protocol, an item of a list or a map
 * has a field name of its own.
 */
export type Shape =
  | { readonly is: 'text' }
  | { readonly is: 'integer' }
  | { readonly is: 'bytes' }
  | { readonly is: 'list'; readonly of: Shape; readonly field: string }
  | { readonly is: 'map'; readonly of: Shape; readonly field: string; readonly key: 'Name' | 'Key' }
  | { readonly is: 'structure'; readonly members: () => Shapes };

/** Members of a structure, by their names in the service model. */
export type Shapes = ReadonlyMap<string, Shape>;

const text: Shape = { is: 'text' };
const integer: Shape = { is: 'integer' };
const bytes: Shape = { is: 'bytes' };
const listOf = (field: string, of: Shape = text): Shape => ({ is: 'list', of, field });
const mapOf = (field: string, key: 'Name' | 'Key', of: Shape = text): Shape => ({
  is: 'map',
  of,
  field,
  key,
});

const ATTRIBUTE_VALUE: Shapes = new Map([
  ['DataType', text],
  ['StringValue', text],
  ['BinaryValue', bytes],
  ['StringListValues', listOf('StringListValue')],
  ['BinaryListValues', listOf('BinaryListValue', bytes)],
]);
const attributeValue: Shape = { is: 'structure', members: () => ATTRIBUTE_VALUE };

/**
 * Stands for the field of a batch's entries, which begins with the action's name: no other field
 * can have this name, since dots separate the steps of a path.
 */
export const ENTRIES_FIELD = '.RequestEntry';

/** The entries of a batch have the parameters of a single request. */
const entry: Shape = { is: 'structure', members: () => PARAMETERS };

/**
 * The parameters of all actions: a name has the same type in each of them.
 * https://github.com/aws/api-models-aws/tree/main/models/sqs
 */
export const PARAMETERS: Shapes = new Map(
  Object.entries({
    Actions: listOf('ActionName'),
    Attributes: mapOf('Attribute', 'Name'),
    AttributeNames: listOf('AttributeName'),
    AWSAccountIds: listOf('AWSAccountId'),
    DelaySeconds: integer,
    DestinationArn: text,
    Entries: listOf(ENTRIES_FIELD, entry),
    Id: text,
    Label: text,
    MaxNumberOfMessages: integer,
    MaxNumberOfMessagesPerSecond: integer,
    MaxResults: integer,
    MessageAttributes: mapOf('MessageAttribute', 'Name', attributeValue),
    MessageAttributeNames: listOf('MessageAttributeName'),
    MessageBody: text,
    MessageDeduplicationId: text,
    MessageGroupId: text,
    MessageSystemAttributes: mapOf('MessageSystemAttribute', 'Name', attributeValue),
    MessageSystemAttributeNames: listOf('MessageSystemAttributeName'),
    NextToken: text,
    QueueName: text,
    QueueNamePrefix: text,
    QueueOwnerAWSAccountId: text,
    QueueUrl: text,
    ReceiptHandle: text,
    ReceiveRequestAttemptId: text,
    SourceArn: text,
    tags: mapOf('Tag', 'Key'),
    Tags: mapOf('Tag', 'Key'),
    TagKeys: listOf('TagKey'),
    TaskHandle: text,
    VisibilityTimeout: integer,
    WaitTimeSeconds: integer,
  }),
);
