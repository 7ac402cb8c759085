import { ListQueueTagsCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { MAX_RUN_INPUTS } from '../messages/result.ts';

/** What is known of a run from outside: the tags of its queue, which its seed and collectors write. */
export type Tags = Record<string, string>;

/** AWS allows 30 such calls a second in an account. */
export async function tagsOf(sqs: SQSClient, QueueUrl: string): Promise<Tags> {
  const { Tags = {} } = await sqs.send(new ListQueueTagsCommand({ QueueUrl }));
  return Tags;
}

/** A tag's number of inputs; undefined where there is none, or none that a run can have. */
export function inputsOf(tag: string | undefined): number | undefined {
  const inputs = tag === undefined || !/^\d+$/.test(tag) ? Number.NaN : Number(tag);
  return inputs <= MAX_RUN_INPUTS ? inputs : undefined;
}
