import { existsSync, readFileSync } from 'node:fs';
import { FanfoldError } from '../../index.ts';
import type { PackedReport } from '../../internal.ts';
import { RunRecord } from './record.ts';

/** Facts about a run, from the record beside its output. */
export interface RecordedRun {
  task: string;
  /** Number of inputs that were read. */
  inputs: number;
  /** Whether these are all inputs. */
  hasAll: boolean;
  /** The report of the last run, if it has left one. */
  report: PackedReport | undefined;
  /** Runs of the inputs elsewhere, in their order. */
  runs: { runId: string; place: string }[];
}

/** Whether a path may be that of a run's output. */
export function isOutput(path: string): boolean {
  return existsSync(path) || RunRecord.exists(path);
}

/**
 * Reads a run's record without changing it.
 *
 * @param need whether there must be one
 * @throws FanfoldError when there is none
 */
export function readRecordedRun(
  output: string,
  need: 'required' | 'optional' = 'required',
): RecordedRun {
  const [, path = ''] = RunRecord.filesOf(output);
  const run: RecordedRun = { task: '', inputs: 0, hasAll: false, report: undefined, runs: [] };
  if (!RunRecord.exists(output)) {
    if (need === 'optional') return run;
    throw new FanfoldError(
      'BadOption',
      `${output} has no record, ${path}, so it is not the output of a run that keeps log lines.`,
    );
  }
  RunRecord.check(output);
  for (const line of readFileSync(path, 'utf8').split('\n').slice(0, -1)) {
    const { task, read, end, report, runId, place } = parsed(line);
    run.task = task ?? run.task;
    if (report !== undefined) run.report = report ?? undefined;
    if (read !== undefined) Object.assign(run, { inputs: read, hasAll: end === true });
    if (runId !== undefined && place !== undefined) run.runs.push({ runId, place });
  }
  return run;
}

/** What a line of a record may have, as `RunRecord` writes it. */
interface RecordLine {
  task?: string;
  read?: number;
  end?: boolean;
  report?: PackedReport | null;
  runId?: string;
  place?: string;
}

function parsed(line: string): RecordLine {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}
