import type { ServiceResponse } from '../../src/emulator/transport/index.ts';
import { readAnswer, type SqsCall } from './sqs-call.ts';

/** Formats a call for the event log. */
export function describe({ action, queue, parameters, attempt }: SqsCall): string {
  const { Entries, MessageBody, VisibilityTimeout } = parameters;
  const sent = Entries?.map((entry) => entry.MessageBody) ?? [MessageBody];
  const contents = sent.flatMap((body) => (body === undefined ? [] : contentsOf(body)));
  return [
    action,
    queue,
    ...(contents.length > 0 ? [contents.join(' ')] : Entries ? [`of ${Entries.length}`] : []),
    ...(VisibilityTimeout === undefined ? [] : [`for ${VisibilityTimeout} s`]),
    ...(attempt > 1 ? [`again (${attempt})`] : []),
  ].join(' ');
}

/** Formats SQS's response for the event log. */
export function outcomeOf(response: ServiceResponse): string {
  const { Messages, Failed = [], __type } = readAnswer(response);
  if (response.status !== 200) return `${response.status} ${__type?.replace(/.*#/, '')}`;
  if (Messages) {
    const received = Messages.map(({ MessageId, Body, Attributes }) => {
      const receives = Attributes?.ApproximateReceiveCount;
      const times = receives === undefined ? '' : ` (${receives})`;
      return `${MessageId.slice(0, 8)}${times} ${contentsOf(Body)}`;
    });
    return `got ${received.join(', ')}`;
  }
  return Failed.length > 0 ? `ok but for ${Failed.length}` : 'ok';
}

/** The inputs that a message concerns. */
function contentsOf(body: string): string {
  try {
    const { items, attempt, results, notice, index } = JSON.parse(body);
    if (items) {
      const indexes = (items as [number][]).map(([one]) => one);
      return `[${indexes}]${attempt > 1 ? `#${attempt}` : ''}`;
    }
    if (results) {
      return (results as { index: number; status: string }[])
        .map((result) => `${result.index}=${result.status}`)
        .join(',');
    }
    return index === undefined ? notice : `${notice} ${index}`;
  } catch {
    return 'garbage';
  }
}
