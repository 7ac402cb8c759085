import type { Statistics } from '../../report/statistics.ts';
import { RunStatistics } from '../collecting/run-statistics.ts';
import { folderOf } from '../messages/results-place.ts';
import type { Deployment } from '../run/deployment.ts';
import { PayloadError } from '../run/payloads.ts';
import { checkRunId, type RunStatus } from '../run/status.ts';
import type { StoreClients } from './stored-run.ts';

/** A run, and where its results are stored, if they are. */
export type KnownRun = Pick<RunStatus, 'runId'> & Partial<Pick<RunStatus, 'output'>>;

/**
 * The statistics of a run as its collector has published them: the collector function of a stack with
 * each part of the results, another one now and then. Undefined if it has not.
 */
export async function statisticsOfRun(
  { payloads }: Pick<Deployment, 'payloads'>,
  store: StoreClients | undefined,
  { runId, output }: KnownRun,
): Promise<Statistics | undefined> {
  let content: Uint8Array | undefined;
  if (output !== undefined) {
    const { StateObject } = await import('../storing/state-object.ts');
    const s3 = await store?.s3();
    content = s3 && (await StateObject.load(s3, folderOf(output)))?.run.statistics;
  } else {
    checkRunId(runId);
    content = await payloads?.getStatistics(runId).catch((error: unknown) => {
      if (error instanceof PayloadError) return undefined;
      throw error;
    });
  }
  return content && RunStatistics.read(content);
}
