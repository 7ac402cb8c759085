import type { EndedRun, Manifest, RunStatus } from '../index.ts';
import { type ReportData, reportOfKnown } from '../internal.ts';
import { endedRun } from './runs.ts';
import { type Connection, nameOf, unknownRun } from './target.ts';

/**
 * The report of a run on a stack or server, as far as its collector has published what it knows.
 *
 * @param named its id, or the folder of its results
 */
export async function reportOfRun(named: string, connection: Connection): Promise<ReportData> {
  const { fanfold, target } = connection;
  if (named.startsWith('s3://')) {
    const stored = await fanfold.stored(named);
    const status = await fanfold.status(stored.runId);
    return reportFrom(status ?? endedOf(await stored.wait()), connection);
  }
  const run = (await fanfold.status(named)) ?? (await endedRun(fanfold, named));
  if (run) return reportFrom(run, connection);
  const other =
    'it ended over a day ago: of results in S3, name the folder, s3://BUCKET/PREFIX/RUN/';
  throw unknownRun(named, target, other);
}

/** The report of a run that has ended, and whose results are stored. */
export function reportOfManifest(made: Manifest, connection: Connection): Promise<ReportData> {
  return reportFrom(endedOf(made), connection);
}

export async function reportFrom(
  run: RunStatus | EndedRun,
  { fanfold, target }: Connection,
): Promise<ReportData> {
  return reportOfKnown(run, nameOf(target), await fanfold.statistics(run));
}

function endedOf({ runId, task, ledger, cause, folder, ...times }: Manifest): EndedRun {
  const { inputs: total, ok, failed, cancelled } = ledger;
  const endedAt = Date.parse(times.endedAt);
  return {
    ...{ runId, task, total, ok, failed, cancelled, elsewhere: 0, cause, output: folder },
    ...{ collector: undefined, createdAt: Date.parse(times.createdAt), endedAt, readAt: endedAt },
  };
}
