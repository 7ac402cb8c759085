import type { SQSClient } from '@aws-sdk/client-sqs';
import { FanfoldError } from '../../errors.ts';
import { readTags } from '../run/tags.ts';

/**
 * Refuses a request that names a run which goes on, but is not about it: its inputs would be mixed
 * with those of the run, or its results stored in two places.
 *
 * @param output the folder of the request's results; undefined if they are not stored in S3
 * @throws FanfoldError `BadInput`
 */
export async function checkSameRun(
  sqs: SQSClient,
  queueUrl: string,
  { runId, task, output }: { runId: string; task: string; output: string | undefined },
): Promise<void> {
  const tags = await readTags(sqs, queueUrl);
  const refuse = (before: string, now: string) => {
    throw new FanfoldError(
      'BadInput',
      `Run ${runId} goes on already, ${before}; this request has ${now}. Leave \`runId\` out for a new run.`,
    );
  };
  if (tags.task !== undefined && tags.task !== task) {
    refuse(`with the task "${tags.task}"`, `"${task}"`);
  }
  if (tags.output === output) return;
  const shown = (place: string | undefined) => place ?? 'a queue of its own';
  refuse(`and its results go to ${shown(tags.output)}`, shown(output));
}
