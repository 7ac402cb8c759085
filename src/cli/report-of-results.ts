import { type FailedResult, FanfoldError, RunLedger } from '../index.ts';
import { FailureKinds, type ReportData, Sketch, statisticsOf, Workers } from '../internal.ts';
import { isResult, linesOf } from './resume/result-lines.ts';
import { wholeLines } from './resume/whole-lines.ts';

/** Makes the report of a run that has left no statistics, from the lines of its results. */
export async function reportOfResults(path: string, task: string): Promise<ReportData> {
  const ledger = new RunLedger();
  const [durations, workers, failures] = [new Sketch(), new Workers(), new FailureKinds()];
  let [ranMs, number] = [0, 0];
  for await (const block of wholeLines(path)) {
    for (const line of linesOf(block)) {
      const result = readLine(path, line, ++number);
      const { index, status, ms, worker } = result;
      ledger.expect(index + 1);
      if (!ledger.enter(index, status) || status === 'cancelled') continue;
      const isOk = status === 'ok';
      if (!isOk) failures.add(result as FailedResult);
      durations.add(ms ?? 0);
      ranMs += ms ?? 0;
      if (worker) workers.count(worker, { ok: isOk ? 1 : 0, failed: isOk ? 0 : 1 }, ms ?? 0);
    }
  }
  const missing = [
    'Only the results of this run are known. When they ended is not, nor which inputs have no result.',
  ];
  const statistics = statisticsOf(ledger.snapshot(), {
    ...{ startedAt: 0, at: 0, durations, ranMs, workers, failures: failures.groups },
  });
  return { task, runId: undefined, place: undefined, cause: undefined, missing, statistics };
}

interface Line {
  index: number;
  status: 'ok' | 'failed' | 'cancelled';
  ms?: number;
  worker?: string;
}

function readLine(path: string, line: string, number: number): Line {
  try {
    const result = JSON.parse(line) as Line;
    const isFailure = typeof (result as Partial<FailedResult>).error?.message === 'string';
    if (isResult(line) && (result.status !== 'failed' || isFailure)) return result;
  } catch {
    // The error below reports it.
  }
  throw new FanfoldError(
    'BadInput',
    `${path}, line ${number}: this line is not a result that fanfold wrote. A report needs the file that a run wrote with --output.`,
  );
}
