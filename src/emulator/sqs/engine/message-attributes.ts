import { createHash, type Hash } from 'node:crypto';
import { invalidParameter, SqsError } from '../errors.ts';
import {
  MAX_ATTRIBUTE_NAME_LENGTH,
  MAX_ATTRIBUTE_TYPE_LENGTH,
  MAX_MESSAGE_ATTRIBUTES,
  MAX_NUMBER_DIGITS,
  NUMBER_EXPONENT,
} from '../limits.ts';
import { FORBIDDEN_CHARACTER } from './characters.ts';

/** Bytes that become base64 in JSON. */
export class Bytes extends Uint8Array {
  toJSON(): string {
    return Buffer.from(this.buffer, this.byteOffset, this.byteLength).toString('base64');
  }
}

/** One of a message's attributes: a text, or bytes. */
export interface MessageAttribute {
  readonly dataType: string;
  readonly value: { readonly text: string } | { readonly bytes: Bytes };
}

export type MessageAttributes = ReadonlyMap<string, MessageAttribute>;

/** The attributes of most messages. Sharing them saves a fifth of a message without its body. */
const NONE: MessageAttributes = new Map();

/** An attribute of a request. */
export interface GivenAttribute {
  readonly dataType: string | undefined;
  readonly text: string | undefined;
  readonly bytes: Bytes | undefined;
  /** Whether it has StringListValues or BinaryListValues, which SQS defines but does not accept. */
  readonly isList: boolean;
}

/** Checks a message's attributes as SQS does. */
export function checkAttributes(given: ReadonlyMap<string, GivenAttribute>): MessageAttributes {
  if (given.size === 0) return NONE;
  if (given.size > MAX_MESSAGE_ATTRIBUTES) {
    throw invalidParameter(
      `Number of message attributes [${given.size}] exceeds the allowed maximum [${MAX_MESSAGE_ATTRIBUTES}].`,
    );
  }
  // Sorted by name, as the digest requires.
  const names = [...given.keys()].sort();
  return new Map(
    names.map((name) => {
      checkName(name);
      return [name, checkAttribute(name, given.get(name))];
    }),
  );
}

/** As recorded from AWS: letters of any alphabet, unlike in its documentation and its error. */
const NAME = /^[\p{L}\p{Nd}_-]+(\.[\p{L}\p{Nd}_-]+)*$/u;
const RESERVED = /^(aws|amazon)\./i;

function checkName(name: string): void {
  if (name.length > MAX_ATTRIBUTE_NAME_LENGTH) {
    throw invalidParameter(
      `Length of message attribute name must be less than ${MAX_ATTRIBUTE_NAME_LENGTH} bytes.`,
    );
  }
  if (RESERVED.test(name)) {
    throw invalidParameter(
      `The message attribute name '${name}' is invalid: names that start with AWS. or Amazon. are reserved.`,
    );
  }
  if (!NAME.test(name)) {
    throw invalidParameter(
      `The message attribute name '${name}' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen (-), and period (.) characters, and cannot start or end with a period or have two in a row.`,
    );
  }
}

/** A type, optionally with the user's own label after a dot. */
const DATA_TYPE = /^(String|Number|Binary)(\..+)?$/;

function checkAttribute(name: string, given: GivenAttribute | undefined): MessageAttribute {
  if (given?.isList) {
    throw new SqsError(
      'UnsupportedOperation',
      'Message attribute list values in SendMessage operation are not supported.',
    );
  }
  const dataType = given?.dataType;
  if (!dataType) {
    throw invalidParameter(
      `The message attribute '${name}' must contain non-empty message attribute type.`,
    );
  }
  const kind = DATA_TYPE.exec(dataType)?.[1];
  if (kind === undefined) {
    throw invalidParameter(
      `The message attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
    );
  }
  if (FORBIDDEN_CHARACTER.test(dataType)) {
    throw invalidParameter(
      `Invalid characters were found in the type of the message attribute '${name}'.`,
    );
  }
  if (dataType.length > MAX_ATTRIBUTE_TYPE_LENGTH) {
    throw invalidParameter(
      `Length of message attribute type must be less than ${MAX_ATTRIBUTE_TYPE_LENGTH} bytes.`,
    );
  }
  if (kind === 'Binary') {
    const bytes = given?.bytes;
    if (!bytes?.length) throw emptyValue(name, 'Binary');
    return { dataType, value: { bytes } };
  }
  const text = given?.text;
  if (!text) throw emptyValue(name, kind);
  if (FORBIDDEN_CHARACTER.test(text)) {
    throw invalidParameter(
      `Invalid characters were found in the message (user) attribute '${name}' value, the set of allowed characters is #x9 | #xA | #xD | [#x20 to #xD7FF] | [#xE000 to #xFFFD] | [#x10000 to #x10FFFF]`,
    );
  }
  if (kind === 'Number' && !isNumber(text)) {
    throw invalidParameter(
      `Can't cast the value of message (user) attribute '${name}' to a number.`,
    );
  }
  return { dataType, value: { text } };
}

const NUMBER = /^[+-]?(?=\.?\d)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/;

/** Whether a text is a number that SQS accepts, by its digits and its size. */
function isNumber(text: string): boolean {
  const match = NUMBER.exec(text);
  if (match === null) return false;
  const [, whole = '', fraction = '', exponent = '0'] = match;
  const fromFirst = (whole + fraction).replace(/^0+/, '');
  const digits = fromFirst.replace(/0+$/, '');
  if (digits === '') return true;
  // The number is d.ddd times ten to the power.
  const power = Number(exponent) + fromFirst.length - fraction.length - 1;
  const { min, max } = NUMBER_EXPONENT;
  const isInRange = (power >= min && power < max) || (power === max && digits === '1');
  return digits.length <= MAX_NUMBER_DIGITS && isInRange;
}

function emptyValue(name: string, kind: string): SqsError {
  return invalidParameter(
    `Message (user) attribute '${name}' must contain a non-empty value of type '${kind}'.`,
  );
}

/** The bytes that attributes add to a message's size: names, types and values. */
export function attributesSize(attributes: MessageAttributes): number {
  let bytes = 0;
  for (const [name, { dataType, value }] of attributes) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(dataType);
    bytes += 'text' in value ? Buffer.byteLength(value.text) : value.bytes.length;
  }
  return bytes;
}

/**
 * The MD5 of attributes that are sorted by name, in hexadecimal; undefined without attributes.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation
 */
export function attributesMd5(attributes: MessageAttributes): string | undefined {
  if (attributes.size === 0) return undefined;
  const digest = createHash('md5');
  for (const [name, { dataType, value }] of attributes) {
    addWithLength(digest, Buffer.from(name));
    addWithLength(digest, Buffer.from(dataType));
    digest.update(Uint8Array.of('text' in value ? 1 : 2));
    addWithLength(digest, 'text' in value ? Buffer.from(value.text) : value.bytes);
  }
  return digest.digest('hex');
}

function addWithLength(digest: Hash, bytes: Uint8Array): void {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  digest.update(length).update(bytes);
}

/** Selects the attributes that a receive asks for: by name, by prefix (`foo.*`), or all of them. */
export function selector(names: readonly string[]): (name: string) => boolean {
  if (names.includes('All') || names.includes('.*') || names.includes('*')) return () => true;
  const exact = new Set(names);
  const prefixes = names.filter((name) => name.endsWith('.*')).map((name) => name.slice(0, -2));
  return (name) => exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
}
