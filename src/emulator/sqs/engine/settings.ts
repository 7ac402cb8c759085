import { SqsError } from '../errors.ts';
import {
  DELAY_SECONDS,
  KMS_REUSE_SECONDS,
  MAX_MESSAGE_BYTES,
  MAXIMUM_MESSAGE_SIZE,
  type Range,
  RETENTION_SECONDS,
  VISIBILITY_SECONDS,
  WAIT_SECONDS,
} from '../limits.ts';
import { FORBIDDEN_CHARACTER } from './characters.ts';
import { isPolicy } from './policy.ts';
import { checkRedriveAllowPolicy, type RedrivePolicy, readRedrivePolicy } from './redrive.ts';

/** A queue's attributes by SQS's names, as texts, as in CreateQueue and GetQueueAttributes. */
export type Attributes = ReadonlyMap<string, string>;

/** The attributes that the engine needs for every message. */
export interface Settings {
  readonly delaySeconds: number;
  readonly maximumMessageSize: number;
  readonly retentionSeconds: number;
  readonly waitSeconds: number;
  readonly visibilitySeconds: number;
  readonly redrivePolicy: RedrivePolicy | undefined;
  /** FIFO: whether a message without a deduplication id gets one from its body. */
  readonly deduplicatesByContent: boolean;
  /** FIFO: whether a deduplication id applies within its group only. */
  readonly deduplicatesByGroup: boolean;
}

/** [api] CreateQueue: Attributes. SqsManagedSseEnabled: recorded from AWS by several projects. */
const INITIAL: Attributes = new Map([
  ['DelaySeconds', '0'],
  ['MaximumMessageSize', String(MAX_MESSAGE_BYTES)],
  ['MessageRetentionPeriod', '345600'],
  ['ReceiveMessageWaitTimeSeconds', '0'],
  ['SqsManagedSseEnabled', 'true'],
  ['VisibilityTimeout', '30'],
]);

/** [api] CreateQueue: Attributes, for FIFO queues. */
const INITIAL_FIFO: Attributes = new Map([
  ...INITIAL,
  ['ContentBasedDeduplication', 'false'],
  ['DeduplicationScope', 'queue'],
  ['FifoQueue', 'true'],
  ['FifoThroughputLimit', 'perQueue'],
]);

export function initialAttributes(isFifo: boolean): Attributes {
  return isFifo ? INITIAL_FIFO : INITIAL;
}

type Reader = (name: string, value: string) => string;

/** Readers of the attributes that any queue can be given; they return the normalized value. */
const READERS: Record<string, Reader> = {
  DelaySeconds: integerIn(DELAY_SECONDS),
  KmsDataKeyReusePeriodSeconds: integerIn(KMS_REUSE_SECONDS),
  KmsMasterKeyId: plainText,
  MaximumMessageSize: integerIn(MAXIMUM_MESSAGE_SIZE),
  MessageRetentionPeriod: integerIn(RETENTION_SECONDS),
  Policy: policyText,
  ReceiveMessageWaitTimeSeconds: integerIn(WAIT_SECONDS),
  RedriveAllowPolicy: (_, value) => {
    checkRedriveAllowPolicy(value);
    return value;
  },
  RedrivePolicy: (_, value) => JSON.stringify(readRedrivePolicy(value)),
  SqsManagedSseEnabled: booleanText,
  VisibilityTimeout: integerIn(VISIBILITY_SECONDS),
};

/** Readers of all attributes that a FIFO queue can be given. */
const FIFO_READERS: Record<string, Reader> = {
  ...READERS,
  ContentBasedDeduplication: booleanText,
  DeduplicationScope: oneOf('queue', 'messageGroup'),
  FifoQueue: fifoText,
  FifoThroughputLimit: oneOf('perQueue', 'perMessageGroupId'),
};

/** FIFO attributes that a standard queue knows, but refuses. */
const ONLY_FIFO = new Set(['DeduplicationScope', 'FifoThroughputLimit']);

/** Attributes that an empty value removes. */
const REMOVABLE = new Set(['KmsMasterKeyId', 'Policy', 'RedriveAllowPolicy', 'RedrivePolicy']);

/** Checks the attributes of a request; an empty value requests a removal. */
export function readAttributes(
  given: Readonly<Record<string, string>>,
  isFifo: boolean,
): Attributes {
  const readers = isFifo ? FIFO_READERS : READERS;
  const read = new Map<string, string>();
  for (const [name, value] of Object.entries(given)) {
    const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
    if (reader === undefined) throw ONLY_FIFO.has(name) ? onlyFifo(name) : unknownAttribute(name);
    read.set(name, value === '' && REMOVABLE.has(name) ? '' : reader(name, value));
  }
  if (read.get('KmsMasterKeyId') && read.get('SqsManagedSseEnabled') === 'true') {
    throw new SqsError(
      'InvalidAttributeName',
      'You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.',
    );
  }
  return read;
}

export function unknownAttribute(name: string): SqsError {
  return new SqsError('InvalidAttributeName', `Unknown Attribute ${name}.`);
}

function onlyFifo(name: string): SqsError {
  return new SqsError(
    'InvalidAttributeName',
    `You can specify the ${name} only when FifoQueue is set to true.`,
  );
}

/** Whether the attributes of a new queue make it a FIFO queue. */
export function asksForFifo({ FifoQueue }: Readonly<Record<string, string>>): boolean {
  return FifoQueue?.toLowerCase() === 'true';
}

/** The attributes after a change. */
export function changed(current: Attributes, change: Attributes): Attributes {
  const result = new Map(current);
  // One kind of encryption replaces the other.
  if (change.get('KmsMasterKeyId')) {
    result.set('SqsManagedSseEnabled', 'false');
    if (!result.has('KmsDataKeyReusePeriodSeconds')) {
      result.set('KmsDataKeyReusePeriodSeconds', '300');
    }
  } else if (change.get('SqsManagedSseEnabled') === 'true') {
    result.delete('KmsMasterKeyId');
    result.delete('KmsDataKeyReusePeriodSeconds');
  }
  for (const [name, value] of change) {
    if (value === '') result.delete(name);
    else result.set(name, value);
  }
  // Without a key, there is none to reuse.
  if (change.get('KmsMasterKeyId') === '') result.delete('KmsDataKeyReusePeriodSeconds');
  return result;
}

/** A throughput limit per group requires deduplication per group. */
export function checkThroughput(attributes: Attributes): void {
  if (attributes.get('FifoThroughputLimit') !== 'perMessageGroupId') return;
  if (attributes.get('DeduplicationScope') === 'messageGroup') return;
  throw new SqsError(
    'InvalidAttributeValue',
    'The perMessageGroupId value is allowed only when the value for DeduplicationScope is messageGroup.',
  );
}

/** The first given attribute that differs from the queue's, if any. */
export function difference(current: Attributes, given: Attributes): string | undefined {
  for (const [name, value] of given) if ((current.get(name) ?? '') !== value) return name;
  return undefined;
}

export function settingsOf(attributes: Attributes): Settings {
  const seconds = (name: string) => Number(attributes.get(name) ?? INITIAL.get(name));
  const redrive = attributes.get('RedrivePolicy');
  return {
    delaySeconds: seconds('DelaySeconds'),
    maximumMessageSize: seconds('MaximumMessageSize'),
    retentionSeconds: seconds('MessageRetentionPeriod'),
    waitSeconds: seconds('ReceiveMessageWaitTimeSeconds'),
    visibilitySeconds: seconds('VisibilityTimeout'),
    redrivePolicy: redrive === undefined ? undefined : readRedrivePolicy(redrive),
    deduplicatesByContent: attributes.get('ContentBasedDeduplication') === 'true',
    deduplicatesByGroup: attributes.get('DeduplicationScope') === 'messageGroup',
  };
}

function integerIn({ min, max }: Range): Reader {
  return (name, value) => {
    const number = /^\d{1,10}$/.test(value) ? Number(value) : -1;
    if (number < min || number > max) throw invalidAttribute(name);
    return String(number);
  };
}

function booleanText(name: string, value: string): string {
  const text = value.toLowerCase();
  if (text !== 'true' && text !== 'false') throw invalidAttribute(name);
  return text;
}

function fifoText(name: string, value: string): string {
  const text = booleanText(name, value);
  if (text === 'true') return text;
  throw new SqsError(
    'InvalidAttributeValue',
    `Invalid value for the parameter ${name}. Reason: Modifying queue type is not supported.`,
  );
}

function oneOf(...values: readonly string[]): Reader {
  return (name, value) => {
    if (values.includes(value)) return value;
    throw invalidAttribute(name);
  };
}

function policyText(name: string, value: string): string {
  if (isPolicy(value)) return value;
  throw invalidAttribute(name);
}

function plainText(name: string, value: string): string {
  if (FORBIDDEN_CHARACTER.test(value)) throw invalidAttribute(name);
  return value;
}

function invalidAttribute(name: string): SqsError {
  return new SqsError('InvalidAttributeValue', `Invalid value for the parameter ${name}.`);
}
