import type { Call, Output } from '../call.ts';
import { addPermissionTo, removePermissionFrom } from '../engine/policy.ts';
import type { Queue } from '../engine/queue.ts';
import { missingParameter } from '../errors.ts';
import { queueOf } from './queue-of.ts';

export function addPermission(call: Call): Output {
  const { input, now } = call;
  const queue = queueOf(call);
  const permission = {
    label: input.requiredText('Label'),
    accountIds: required(input.texts('AWSAccountIds'), 'AWSAccountIds'),
    actions: required(input.texts('Actions'), 'Actions'),
  };
  setPolicy(queue, addPermissionTo(queue.attributes.get('Policy'), queue.arn, permission), now);
  return undefined;
}

export function removePermission(call: Call): Output {
  const queue = queueOf(call);
  const label = call.input.requiredText('Label');
  setPolicy(queue, removePermissionFrom(queue.attributes.get('Policy'), label), call.now);
  return undefined;
}

/** @param policy empty to remove the queue's policy */
function setPolicy(queue: Queue, policy: string, now: number): void {
  queue.setAttributes(new Map([['Policy', policy]]), now);
}

function required(values: readonly string[], name: string): readonly string[] {
  if (values.length === 0) throw missingParameter(name);
  return values;
}
