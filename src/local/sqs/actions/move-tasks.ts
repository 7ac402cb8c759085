import type { Call, Output } from '../call.ts';
import { invalidValue } from '../errors.ts';
import { MOVE_RATE, MOVE_TASK_RESULTS } from '../limits.ts';

export function startMessageMoveTask({ input, moves, now }: Call): Output {
  const source = input.requiredText('SourceArn');
  const perSecond = input.integer('MaxNumberOfMessagesPerSecond');
  const { min, max } = MOVE_RATE;
  if (perSecond !== undefined && (perSecond < min || perSecond > max)) {
    const reason = `Must be between ${min} and ${max}, if provided.`;
    throw invalidValue('MaxNumberOfMessagesPerSecond', perSecond, reason);
  }
  return { TaskHandle: moves.start(source, input.text('DestinationArn'), perSecond, now) };
}

export function cancelMessageMoveTask({ input, moves }: Call): Output {
  return { ApproximateNumberOfMessagesMoved: moves.cancel(input.requiredText('TaskHandle')) };
}

export function listMessageMoveTasks({ input, moves }: Call): Output {
  const { min, max } = MOVE_TASK_RESULTS;
  const count = input.integer('MaxResults') ?? min;
  if (count < min || count > max) {
    throw invalidValue('MaxResults', count, `Must be between ${min} and ${max}, if provided.`);
  }
  const results = moves.list(input.requiredText('SourceArn'), count);
  return results.length > 0 ? { Results: results } : {};
}
