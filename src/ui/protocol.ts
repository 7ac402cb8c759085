import type { InputDetail, PackedReport } from '../report/report-data.ts';

export type { InputDetail };

/**
 * What the page and its server say to each other, as JSON:
 *
 * - `POST /api/session` with `{ token }`: 204 and a cookie. The token is in the fragment of the
 *   printed address, so that it is in no log and no `Referer`.
 * - `GET /api/runs`: `RunList`.
 * - `GET /api/runs/<id>/events`: server-sent events. Each `run` event is a whole `LiveRun`, so a page
 *   that reconnects needs nothing else. After `end` there are no more, and the page stays as it is.
 * - `GET /api/runs/<id>/inputs/<index>`: `InputDetail`.
 * - `POST /api/runs/<id>/cancel`, `pause`, `unpause`, and `set` with `Knobs`: 204.
 *
 * A refusal has a 4xx or 5xx status and `{ error }`, a sentence. 401 is for a page without its cookie.
 * A token works once; the secret of `fanfold serve`, whose page is at `/ui`, always does.
 */
export interface RunList {
  /** The stack or server; undefined for this machine. */
  place: string | undefined;
  runs: ListedRun[];
}

export interface ListedRun {
  runId: string;
  task: string;
  /** Milliseconds since 1970. */
  createdAt: number;
  state: RunState;
  ok: number;
  failed: number;
  cancelled: number;
  /** Inputs seeded so far; those of the run once `isSealed`. */
  inputs: number | undefined;
  isSealed: boolean;
}

export type RunState = 'running' | 'paused' | 'cancelling' | 'ended';

export interface LiveRun {
  /** If another process collects the run, its statistics are those that were published last. */
  report: PackedReport;
  state: RunState;
  /** Why it is paused or ended early, as a sentence. */
  because: string | undefined;
  /** All inputs of the run, if they are known, even before they are seeded. */
  inputs: number | undefined;
  /** Whether all inputs are seeded. The report's ledger has those that are. */
  isSealed: boolean;
  /** Results in a second, of late. */
  rate: number | undefined;
  etaMs: number | undefined;
  /** US dollars so far, and expected in all. */
  usd: number | undefined;
  usdInAll: number | undefined;
  knobs: Knobs;
  /** What limits the run, as a sentence. */
  limit: string | undefined;
  /** Why the last change failed, as a sentence, if that was known only after its answer. */
  failure?: string | undefined;
  /** What the page may offer. */
  can: Ability[];
}

export type Ability = 'cancel' | 'pause' | 'set' | 'inputs';

export interface Knobs {
  /** Most inputs at once; null lifts the bound. */
  concurrency?: number | null;
  /** Most starts, such as `100/s`; null lifts the bound. */
  rate?: string | null;
}
