import { missingParameter, SqsError } from '../errors.ts';
import type { Parameters } from '../input.ts';

/** One step in the names of a form's fields, which are paths: `Tag.1.Key` has three. */
class Field {
  value: string | undefined = undefined;
  readonly parts = new Map<string, Field>();

  part(name: string): Field {
    let part = this.parts.get(name);
    if (part === undefined) {
      part = new Field();
      this.parts.set(name, part);
    }
    return part;
  }
}

/** A request's fields by their paths. */
export class Fields {
  readonly #root = new Field();

  add(path: string, value: string): void {
    const steps = path.split('.', MAX_STEPS + 1);
    if (steps.length > MAX_STEPS) return;
    let field = this.#root;
    for (const step of steps) field = field.part(step);
    // As recorded from AWS: the first of two fields with one name counts.
    field.value ??= value;
  }

  /** A field that does not belong to an action, such as Version. */
  text(name: string): string | undefined {
    return this.#root.parts.get(name)?.value;
  }

  /** An action's parameters, in the shape of SQS's service model. Unknown fields are ignored. */
  parameters(action: string): Parameters {
    return readParts(this.#root, '', (name) => memberOf(action, name));
  }
}

/**
 * The longest path:
 * ...BatchRequestEntry.member.1.MessageAttribute.entry.1.Value.StringListValue.member.1
 */
const MAX_STEPS = 10;

/** Reads the value of one member. The path is for error messages. */
type Reader = (field: Field, path: string) => unknown;

/** A member of SQS's service model, by its name there: `TagKeys` for the fields `TagKey.1`... */
interface Member {
  readonly name: string;
  readonly read: Reader;
}

const text: Reader = (field, path) => {
  if (field.value !== undefined) return field.value;
  throw malformed(`${path}: Start of structure or map found where not expected.`);
};

const integer: Reader = (field, path) => {
  const value = field.value ?? '';
  if (/^[+-]?\d{1,10}$/.test(value)) return Number(value);
  throw malformed(`${path}: expected an integer; got "${value}".`);
};

function listOf(read: Reader): Reader {
  return (field, path) => items(field, path, 'member').map(([item, at]) => read(item, at));
}

/** @param keyName 'Name' or 'Key' */
function mapOf(keyName: string, read: Reader): Reader {
  const part = (item: Field, at: string, name: string) => {
    const found = item.parts.get(name);
    if (found === undefined) throw missingParameter(`${at}.${name}`);
    return found;
  };
  return (field, path) =>
    Object.fromEntries(
      items(field, path, 'entry').map(([item, at]) => [
        text(part(item, at, keyName), `${at}.${keyName}`),
        read(part(item, at, 'Value'), `${at}.Value`),
      ]),
    );
}

function structureOf(members: ReadonlyMap<string, Member>): Reader {
  return (field, path) => {
    checkNoValue(field, path);
    return readParts(field, path, (name) => members.get(name));
  };
}

function readParts(
  field: Field,
  path: string,
  find: (name: string) => Member | undefined,
): Parameters {
  const found: [string, unknown][] = [];
  for (const [name, part] of field.parts) {
    const member = find(name);
    if (member) found.push([member.name, member.read(part, path ? `${path}.${name}` : name)]);
  }
  return Object.fromEntries(found);
}

/**
 * The items of a list or a map in the order of their numbers, which start at 1. A word may stand
 * between the name and the number, where the service model does not flatten the list or map. A
 * single item may have no number, as in many of AWS's examples: `AttributeName=All`,
 * `Attribute.Name`.
 */
function items(field: Field, path: string, word: string): [item: Field, path: string][] {
  // SDKs send this for an empty list.
  if (field.value === '' && field.parts.size === 0) return [];
  if (isItem(field)) return [[field, path]];
  checkNoValue(field, path);
  const numbered = Array.from(field.parts.get(word)?.parts ?? field.parts, ([step, item]) => ({
    index: indexOf(step),
    item,
    path: `${path}.${step}`,
  })).sort((one, other) => one.index - other.index);
  let last = 0;
  for (const { index } of numbered) {
    const skipped = index - last - 1;
    if (skipped > MAX_SKIPPED) {
      throw malformed(`Excessively sparse input would skip ${skipped} list elements`);
    }
    last = index;
  }
  return numbered.map(({ item, path }) => [item, path]);
}

/** Whether the field of a list or a map is itself an item, without a number before it. */
function isItem({ value, parts }: Field): boolean {
  return value === undefined ? parts.has('Name') || parts.has('Key') : parts.size === 0;
}

/** Recorded from AWS. */
const MAX_SKIPPED = 10;

function indexOf(step: string): number {
  if (!/^\d+$/.test(step)) throw malformed('Start of list found where not expected');
  if (/^0+$/.test(step)) throw malformed('0 is not a valid index');
  if (step.length > 9) throw malformed(`Index ${step} is illegal`);
  return Number(step);
}

function checkNoValue(field: Field, path: string): void {
  if (field.value !== undefined) throw malformed(`${path}: Value found where not expected`);
}

function malformed(message: string): SqsError {
  return new SqsError('MalformedInput', message);
}

const members = (given: Record<string, Reader | [name: string, read: Reader]>) =>
  new Map<string, Member>(
    Object.entries(given).map(([field, member]) => [
      field,
      Array.isArray(member) ? { name: member[0], read: member[1] } : { name: field, read: member },
    ]),
  );

const ATTRIBUTE_VALUE = structureOf(
  members({
    DataType: text,
    StringValue: text,
    BinaryValue: text,
    StringListValue: ['StringListValues', listOf(text)],
    BinaryListValue: ['BinaryListValues', listOf(text)],
  }),
);

/**
 * The parameters of all actions, by the names of their fields. A field means the same in each
 * action, except for those in `memberOf`.
 * https://github.com/aws/api-models-aws/tree/main/models/sqs
 */
const PARAMETERS = members({
  ActionName: ['Actions', listOf(text)],
  Attribute: ['Attributes', mapOf('Name', text)],
  AttributeName: ['AttributeNames', listOf(text)],
  AWSAccountId: ['AWSAccountIds', listOf(text)],
  DelaySeconds: integer,
  DestinationArn: text,
  Id: text,
  Label: text,
  MaxNumberOfMessages: integer,
  MaxNumberOfMessagesPerSecond: integer,
  MaxResults: integer,
  MessageAttribute: ['MessageAttributes', mapOf('Name', ATTRIBUTE_VALUE)],
  MessageAttributeName: ['MessageAttributeNames', listOf(text)],
  MessageBody: text,
  MessageDeduplicationId: text,
  MessageGroupId: text,
  MessageSystemAttribute: ['MessageSystemAttributes', mapOf('Name', ATTRIBUTE_VALUE)],
  MessageSystemAttributeName: ['MessageSystemAttributeNames', listOf(text)],
  NextToken: text,
  QueueName: text,
  QueueNamePrefix: text,
  QueueOwnerAWSAccountId: text,
  QueueUrl: text,
  ReceiptHandle: text,
  ReceiveRequestAttemptId: text,
  SourceArn: text,
  Tag: ['Tags', mapOf('Key', text)],
  TagKey: ['TagKeys', listOf(text)],
  TaskHandle: text,
  VisibilityTimeout: integer,
  WaitTimeSeconds: integer,
});

/** An entry of a batch has the fields of a single request. */
const ENTRIES: Member = { name: 'Entries', read: listOf(structureOf(PARAMETERS)) };

function memberOf(action: string, field: string): Member | undefined {
  if (field === `${action}RequestEntry`) return ENTRIES;
  const member = PARAMETERS.get(field);
  return action === 'CreateQueue' && field === 'Tag' && member
    ? { ...member, name: 'tags' }
    : member;
}
