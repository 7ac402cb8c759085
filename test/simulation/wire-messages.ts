import { MAX_RUN_INPUTS } from '../../src/pipeline/messages/result.ts';

/** A task message, as the wire knows it. */
export interface Message {
  id: string;
  runId: string;
  indexes: number[];
  attempt: number;
  expiresAt: number;
  /** Reason for sending it back unchanged. */
  stalled: string | undefined;
  /** Whether it is of a run with bounds: nothing keeps the slices of its chunks. */
  hasBounds: boolean;
  /** Whether its inputs are run a second time if they hold up the end of their run. */
  hedge: boolean;
  receives: number;
  handle: string | undefined;
}

/** Fields of the messages to a run's queue. */
export interface ResultBody {
  runId: string;
  results?: { index: number; status: string; error?: { code: string } }[];
  notice?: string;
  index?: number;
  id?: string;
  message?: string;
}

/** A worker's reason for sending a chunk. */
export function kindOf({ stalled, attempt }: Message): string {
  if (stalled === 'run') return 'chunk sent on: its run seems to be over';
  if (stalled === 'worker') return 'chunk sent on: cut, or not begun';
  return attempt > 1 ? 'further attempt sent' : 'rest of a slice sent back';
}

/** A task message; undefined for garbage, which the simulation also sends. */
export function readMessage(body: string): Message | undefined {
  try {
    const { v, runId, items, attempt, expiresAt, stalled, flow, hedge = false } = JSON.parse(body);
    if (v !== 2) return undefined;
    const indexes = (items as [number, unknown][]).map(([index]) => index);
    return {
      id: '',
      runId,
      indexes,
      attempt,
      expiresAt,
      stalled: stalled?.cause,
      hasBounds: flow !== undefined,
      hedge,
      receives: 0,
      handle: undefined,
    };
  } catch {
    return undefined;
  }
}

/** Whether a queue is a run's. */
export function isRuns(queue: string): boolean {
  return queue.includes('-run-');
}

/** The id of the run whose queue it is. */
export function runOf(queue: string): string {
  return queue.replace(/^.*-run-/, '');
}

/** Indexes of a run's inputs that a message to its queue has results of: none where it is forged. */
export function indexesOf(body: string, ofRun: string): number[] {
  try {
    const { runId, results = [] } = JSON.parse(body) as ResultBody;
    if (runId !== ofRun) return [];
    return results.map(({ index }) => index).filter((index) => index < MAX_RUN_INPUTS);
  } catch {
    return [];
  }
}
