import { FanfoldError } from '../../src/errors.ts';
import { packed } from '../../src/report/report-data.ts';
import { Sketch } from '../../src/report/sketch.ts';
import { statisticsOf } from '../../src/report/statistics.ts';
import { Workers } from '../../src/report/workers.ts';
import type { LiveRuns } from '../../src/ui/live-runs.ts';
import type { InputDetail, Knobs, LiveRun, RunList } from '../../src/ui/protocol.ts';

export const RUN_ID = '20261123T165514123-k3f9x2ab';

/** One run of a hundred inputs, whose state a test sets. */
export class FakeRuns implements LiveRuns {
  ok = 0;
  state: LiveRun['state'] = 'running';
  looks = 0;
  acts: unknown[] = [];
  failure: Error | undefined;
  task = 'echo';

  async list(): Promise<RunList> {
    return { place: undefined, runs: [] };
  }

  async look(runId: string): Promise<LiveRun> {
    this.looks++;
    if (runId !== RUN_ID) throw new FanfoldError('UnknownRun', `This command has no run ${runId}.`);
    if (this.failure) throw this.failure;
    const ledger = { inputs: 100, ok: this.ok, failed: 0, cancelled: 0, sealed: true };
    const statistics = statisticsOf(ledger, {
      ...{ startedAt: 1, at: performance.now(), durations: new Sketch(), ranMs: 0 },
      ...{ workers: new Workers(), failures: [] },
    });
    const about = { task: this.task, runId, place: undefined, cause: undefined, missing: [] };
    return {
      report: packed({ ...about, statistics }),
      ...{ state: this.state, because: undefined, inputs: 100, isSealed: true },
      ...{ rate: undefined, etaMs: undefined, usd: undefined, usdInAll: undefined },
      ...{ knobs: {}, limit: undefined, can: [] },
    };
  }

  async input(_: string, index: number): Promise<InputDetail> {
    throw new FanfoldError('BadOption', `There is no input ${index}.`);
  }

  async cancel(runId: string): Promise<void> {
    this.acts.push(['cancel', runId]);
    this.state = 'cancelling';
  }

  async pause(runId: string): Promise<void> {
    this.acts.push(['pause', runId]);
  }

  async unpause(runId: string): Promise<void> {
    this.acts.push(['unpause', runId]);
  }

  async set(runId: string, knobs: Knobs): Promise<void> {
    this.acts.push(['set', runId, knobs]);
  }
}
