import type { InputDetail, Knobs, LiveRun, RunList } from './protocol.ts';

/** The runs that a live page shows, and what it can do to them. */
export interface LiveRuns {
  list(): Promise<RunList>;
  /** A run as it is now. Its state is `ended` for the last time. @throws FanfoldError `UnknownRun` */
  look(runId: string): Promise<LiveRun>;
  input(runId: string, index: number): Promise<InputDetail>;
  cancel(runId: string): Promise<void>;
  pause(runId: string): Promise<void>;
  unpause(runId: string): Promise<void>;
  /** @throws FanfoldError `BadOption` for wrong values */
  set(runId: string, knobs: Knobs): Promise<void>;
}
