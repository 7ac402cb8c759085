import { isObject } from '../engine/json-value.ts';
import { SqsError } from '../errors.ts';
import type { Parameters } from '../input.ts';

/** Refuses a value whose type differs from the member's type in SQS's service model. */
type Check = (value: unknown, path: string) => void;

/** Refuses a request as a whole: AWS's parser reads all of it before any of it is performed. */
export function checkTypes(parameters: Parameters): void {
  checkMembers(PARAMETERS, parameters, '');
}

function checkMembers(
  members: ReadonlyMap<string, Check>,
  structure: Parameters,
  path: string,
): void {
  for (const name of Object.keys(structure)) {
    const value = structure[name];
    // Null counts as absent, and unknown members are ignored.
    if (value === null || value === undefined) continue;
    members.get(name)?.(value, path ? `${path}.${name}` : name);
  }
}

const text: Check = (value, path) => {
  if (typeof value !== 'string') throw wrongType(path, 'a String', value);
};

const integer: Check = (value, path) => {
  if (!Number.isInteger(value)) throw wrongType(path, 'an Integer', value);
};

/** In JSON, they are base64. */
const bytes: Check = (value, path) => {
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
    throw wrongType(path, 'a Blob', value);
  }
};

function listOf(check: Check): Check {
  return (value, path) => {
    if (!Array.isArray(value)) throw wrongType(path, 'a List', value);
    value.forEach((item, index) => {
      check(item, `${path}.${index + 1}`);
    });
  };
}

function mapOf(check: Check): Check {
  return (value, path) => {
    for (const [key, one] of entriesOf(value, path, 'a Map')) check(one, `${path}.${key}`);
  };
}

function structureOf(members: () => ReadonlyMap<string, Check>): Check {
  return (value, path) => {
    checkMembers(members(), Object.fromEntries(entriesOf(value, path, 'a Structure')), path);
  };
}

function entriesOf(value: unknown, path: string, expected: string): [string, unknown][] {
  if (isObject(value) && !(value instanceof Uint8Array)) return Object.entries(value);
  throw wrongType(path, expected, value);
}

/** In the words of AWS's parser, as recorded from other services that have it. */
function wrongType(path: string, expected: string, value: unknown): SqsError {
  const what = Array.isArray(value)
    ? 'Start of list found where not expected'
    : typeof value === 'object' && value !== null
      ? 'Start of structure or map found where not expected'
      : `${String(value === null ? 'null' : typeof value).toUpperCase()}_VALUE can not be converted to ${expected}`;
  return new SqsError('MalformedInput', `${path}: ${what}.`);
}

const ATTRIBUTE_VALUE = structureOf(
  () =>
    new Map([
      ['DataType', text],
      ['StringValue', text],
      ['BinaryValue', bytes],
      ['StringListValues', listOf(text)],
      ['BinaryListValues', listOf(bytes)],
    ]),
);

/**
 * The parameters of all actions: a name has the same type in each of them.
 * https://github.com/aws/api-models-aws/tree/main/models/sqs
 */
const PARAMETERS: ReadonlyMap<string, Check> = new Map(
  Object.entries({
    Actions: listOf(text),
    Attributes: mapOf(text),
    AttributeNames: listOf(text),
    AWSAccountIds: listOf(text),
    DelaySeconds: integer,
    DestinationArn: text,
    Entries: listOf(structureOf(() => PARAMETERS)),
    Id: text,
    Label: text,
    MaxNumberOfMessages: integer,
    MaxNumberOfMessagesPerSecond: integer,
    MaxResults: integer,
    MessageAttributes: mapOf(ATTRIBUTE_VALUE),
    MessageAttributeNames: listOf(text),
    MessageBody: text,
    MessageDeduplicationId: text,
    MessageGroupId: text,
    MessageSystemAttributes: mapOf(ATTRIBUTE_VALUE),
    MessageSystemAttributeNames: listOf(text),
    NextToken: text,
    QueueName: text,
    QueueNamePrefix: text,
    QueueOwnerAWSAccountId: text,
    QueueUrl: text,
    ReceiptHandle: text,
    ReceiveRequestAttemptId: text,
    SourceArn: text,
    tags: mapOf(text),
    Tags: mapOf(text),
    TagKeys: listOf(text),
    TaskHandle: text,
    VisibilityTimeout: integer,
    WaitTimeSeconds: integer,
  }),
);
