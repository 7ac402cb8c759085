import { invalidParameter, type SqsError } from '../errors.ts';
import { MAX_RECEIVE_COUNT, MAX_SOURCE_ARNS } from '../limits.ts';
import { isObject, parsed } from './json-value.ts';

/** Where messages go after too many receives, and how many are allowed. */
export interface RedrivePolicy {
  readonly deadLetterTargetArn: string;
  readonly maxReceiveCount: number;
}

/** Reads the value of a queue's RedrivePolicy attribute; refuses the same values as AWS. */
export function readRedrivePolicy(value: string): RedrivePolicy {
  const policy = jsonObject('RedrivePolicy', value);
  const { deadLetterTargetArn, maxReceiveCount } = policy;
  for (const name of ['deadLetterTargetArn', 'maxReceiveCount']) {
    if (policy[name] !== undefined) continue;
    throw redriveRefusal(value, `Redrive policy does not contain mandatory attribute: ${name}.`);
  }
  const { min, max } = MAX_RECEIVE_COUNT;
  const count = integerOf(maxReceiveCount);
  if (count === undefined || count < min || count > max) {
    const given = typeof maxReceiveCount === 'object' ? 'a structure' : maxReceiveCount;
    const reason = `Invalid value for maxReceiveCount: ${given}, valid values are from ${min} to ${max} both inclusive.`;
    throw redriveRefusal(value, reason);
  }
  if (!isArn(deadLetterTargetArn)) {
    throw redriveRefusal(value, 'Invalid value for deadLetterTargetArn.');
  }
  return { deadLetterTargetArn, maxReceiveCount: count };
}

/** AWS accepts a count as a number or as decimal text. */
function integerOf(value: unknown): number | undefined {
  if (typeof value === 'string' && /^\d{1,10}$/.test(value)) return Number(value);
  return Number.isInteger(value) ? Number(value) : undefined;
}

function isArn(value: unknown): value is string {
  return typeof value === 'string' && /^arn:(.+:){4}.+$/.test(value);
}

export function redriveRefusal(value: string, reason: string): SqsError {
  return invalidParameter(
    `Value ${value} for parameter RedrivePolicy is invalid. Reason: ${reason}`,
  );
}

const PERMISSIONS = ['allowAll', 'denyAll', 'byQueue'];

/** Checks the value of a dead-letter queue's RedriveAllowPolicy attribute. */
export function checkRedriveAllowPolicy(value: string): void {
  const { redrivePermission, sourceQueueArns } = jsonObject('RedriveAllowPolicy', value);
  const isByQueue = redrivePermission === 'byQueue';
  const isListRight = isByQueue ? isSourceList(sourceQueueArns) : sourceQueueArns === undefined;
  if (PERMISSIONS.some((known) => known === redrivePermission) && isListRight) return;
  throw invalidParameter(
    `Value ${value} for parameter RedriveAllowPolicy is invalid. Reason: redrivePermission must be one of ${PERMISSIONS.join(', ')}, with sourceQueueArns, up to ${MAX_SOURCE_ARNS}, for byQueue only.`,
  );
}

function isSourceList(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0) return false;
  return value.length <= MAX_SOURCE_ARNS && value.every(isArn);
}

/** Whether a dead-letter queue with this RedriveAllowPolicy accepts messages from a source. */
export function allowsRedrive(value: string | undefined, sourceArn: string): boolean {
  if (value === undefined) return true;
  const { redrivePermission, sourceQueueArns } = jsonObject('RedriveAllowPolicy', value);
  if (redrivePermission === 'byQueue') {
    return Array.isArray(sourceQueueArns) && sourceQueueArns.includes(sourceArn);
  }
  return redrivePermission === 'allowAll';
}

function jsonObject(attribute: string, value: string): Readonly<Record<string, unknown>> {
  const read = parsed(value);
  if (isObject(read)) return read;
  const what = attribute === 'RedrivePolicy' ? 'Redrive policy' : 'Redrive allow policy';
  throw invalidParameter(
    `Value ${value} for parameter ${attribute} is invalid. Reason: ${what} is not a valid JSON map.`,
  );
}
