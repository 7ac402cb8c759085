import { invalidParameter, type SqsError } from '../errors.ts';
import { MAX_RECEIVE_COUNT } from '../limits.ts';

/** Where a queue's messages go that have been received too often. */
export interface RedrivePolicy {
  readonly deadLetterTargetArn: string;
  readonly maxReceiveCount: number;
}

/** Reads the value of a queue's RedrivePolicy attribute; refuses what AWS refuses. */
export function readRedrivePolicy(value: string): RedrivePolicy {
  const policy = jsonObject('RedrivePolicy', value);
  const { deadLetterTargetArn, maxReceiveCount } = policy;
  for (const name of ['deadLetterTargetArn', 'maxReceiveCount']) {
    if (policy[name] !== undefined) continue;
    throw redriveRefusal(value, `Redrive policy does not contain mandatory attribute: ${name}.`);
  }
  const { min, max } = MAX_RECEIVE_COUNT;
  // AWS takes the count as a number or as its decimal text.
  const count = Number(maxReceiveCount);
  if (!Number.isInteger(count) || count < min || count > max) {
    const reason = `Invalid value for maxReceiveCount: ${maxReceiveCount}, valid values are from ${min} to ${max} both inclusive.`;
    throw redriveRefusal(value, reason);
  }
  if (typeof deadLetterTargetArn !== 'string' || !/^arn:(.+:){4}.+$/.test(deadLetterTargetArn)) {
    throw redriveRefusal(value, 'Invalid value for deadLetterTargetArn.');
  }
  return { deadLetterTargetArn, maxReceiveCount: count };
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
  const listed = Array.isArray(sourceQueueArns) && sourceQueueArns.length > 0;
  const known = PERMISSIONS.includes(String(redrivePermission));
  if (known && listed === (redrivePermission === 'byQueue')) return;
  throw invalidParameter(
    `Value ${value} for parameter RedriveAllowPolicy is invalid. Reason: redrivePermission must be one of ${PERMISSIONS.join(', ')}, with sourceQueueArns for byQueue only.`,
  );
}

/** Whether a dead-letter queue with this RedriveAllowPolicy takes messages from a source. */
export function allowsRedrive(value: string | undefined, sourceArn: string): boolean {
  if (value === undefined) return true;
  const { redrivePermission, sourceQueueArns } = jsonObject('RedriveAllowPolicy', value);
  if (redrivePermission === 'byQueue') {
    return Array.isArray(sourceQueueArns) && sourceQueueArns.includes(sourceArn);
  }
  return redrivePermission === 'allowAll';
}

function jsonObject(attribute: string, value: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(value);
    if (isObject(parsed)) return parsed;
  } catch {
    // Refused below, like any other value that is no object.
  }
  const what = attribute === 'RedrivePolicy' ? 'Redrive policy' : 'Redrive allow policy';
  throw invalidParameter(
    `Value ${value} for parameter ${attribute} is invalid. Reason: ${what} is not a valid JSON map.`,
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
