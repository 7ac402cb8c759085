import type { SQSClient } from '@aws-sdk/client-sqs';
import { FanfoldError } from '../../errors.ts';
import { isMissingQueue } from '../call-errors.ts';
import { type RunTags, readTags } from '../run/tags.ts';

interface NamedRun {
  runId: string;
  task: string;
  output: string | undefined;
  isNew?: boolean;
}

/**
 * Refuses a request that names a run which goes on, but is not about it: its inputs would be mixed
 * with those of the run, or its results stored in two places.
 *
 * @param output the folder of the request's results; undefined if they are not stored in S3
 * @param isNew whether SQS may not report the queue and its tags yet, since it was just created
 * @throws FanfoldError `BadInput`
 */
export async function checkSameRun(
  sqs: SQSClient,
  queueUrl: string,
  { runId, task, output, isNew = false }: NamedRun,
): Promise<void> {
  const tags = await readTags(sqs, queueUrl).catch((error: unknown): RunTags => {
    if (isNew && isMissingQueue(error)) return {};
    throw error;
  });
  if (isNew && tags.task === undefined) return;
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
