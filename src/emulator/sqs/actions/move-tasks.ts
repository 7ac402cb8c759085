import type { Call, Output } from '../call.ts';
import { invalidValue } from '../errors.ts';
import { MOVE_RATE, MOVE_TASK_RESULTS } from '../limits.ts';

export function startMessageMoveTask({ input, queues, moves, now }: Call): Output {
  const source = input.requiredText('SourceArn');
  const perSecond = input.integer('MaxNumberOfMessagesPerSecond');
  const { min, max } = MOVE_RATE;
  if (perSecond !== undefined && (perSecond < min || perSecond > max)) {
    const reason = `Must be between ${min} and ${max}, if provided.`;
    throw invalidValue('MaxNumberOfMessagesPerSecond', perSecond, reason);
  }
  const destination = input.text('DestinationArn');
  return { TaskHandle: moves.start(queues, source, destination, perSecond, now) };
}

export function cancelMessageMoveTask({ input, queues, moves }: Call): Output {
  const moved = moves.cancel(queues, input.requiredText('TaskHandle'));
  return { ApproximateNumberOfMessagesMoved: moved };
}

export function listMessageMoveTasks({ input, queues, moves }: Call): Output {
  const { min, max } = MOVE_TASK_RESULTS;
  const count = input.integer('MaxResults') ?? min;
  if (count < min || count > max) {
    throw invalidValue('MaxResults', count, `Must be between ${min} and ${max}, if provided.`);
  }
  const results = moves.list(queues, input.requiredText('SourceArn'), count);
  return results.length > 0 ? { Results: results } : {};
}
