import { existsSync, readFileSync } from 'node:fs';
import { FanfoldError } from '../../index.ts';
import { RunRecord } from './record.ts';

/** Facts about a run, from the record beside its output. */
export interface RecordedRun {
  task: string;
  /** Number of inputs that were read. */
  inputs: number;
  /** Whether these are all inputs. */
  hasAll: boolean;
  /** Runs of the inputs elsewhere, in their order. */
  runs: { runId: string; place: string }[];
}

/** Whether a path may be that of a run's output. */
export function isOutput(path: string): boolean {
  return existsSync(path) || RunRecord.exists(path);
}

/** Reads a run's record without changing it. @throws FanfoldError when there is none */
export function readRecordedRun(output: string): RecordedRun {
  const [, path = ''] = RunRecord.filesOf(output);
  if (!RunRecord.exists(output)) {
    throw new FanfoldError(
      'BadOption',
      `${output} has no record, ${path}, so it is not the output of a run that keeps log lines.`,
    );
  }
  RunRecord.check(output);
  const run: RecordedRun = { task: '', inputs: 0, hasAll: false, runs: [] };
  for (const line of readFileSync(path, 'utf8').split('\n').slice(0, -1)) {
    const { task, read, end, runId, place } = parsed(line);
    run.task = task ?? run.task;
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
