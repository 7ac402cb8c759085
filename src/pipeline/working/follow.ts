import type { Chunk } from '../messages/chunk.ts';
import { LOOKS, type RunControl, type RunQueues } from '../run/run-queues.ts';

/** Time between looks at a run while a chunk can start nothing more: for hedging only. */
const IDLE_LOOK_MS = 1_000;

export interface Followers {
  /** True while the chunk may start further inputs. */
  mayStart(): boolean;
  /** The run was paused, or has other bounds or another deadline. */
  onChange(): void;
  /**
   * The run is at its end: an input that has run for this long is run a second time; and in a run
   * with bounds in one more lane if the round is another one.
   */
  onHedge(ms: number, round: number): void;
}

/**
 * Follows what is set for a run while one of its chunks runs. A run that can't be looked up goes
 * on as it is.
 *
 * @param begunWith what was set when the chunk began
 * @returns a function that ends it
 */
export function follow(
  runs: RunQueues,
  chunk: Chunk,
  begunWith: RunControl,
  followers: Followers,
): () => void {
  if (chunk.results === 'shared') return () => {};
  const look = async () => {
    await runs.state(chunk);
    const control = runs.control(chunk);
    if (partsOf(control) !== partsOf(begunWith)) followers.onChange();
    const { hedgeMs, hedgeRound = 0 } = control;
    if (chunk.hedge && hedgeMs !== undefined) followers.onHedge(hedgeMs, hedgeRound);
  };
  const everyMs = runs.intervalMs(chunk) / LOOKS;
  let timer: ReturnType<typeof setTimeout>;
  const lookLater = () => {
    const ms = followers.mayStart() ? everyMs : Math.max(everyMs, IDLE_LOOK_MS);
    // Most looks find what was read a while ago, and make no call.
    timer = setTimeout(() => {
      void look().catch(() => {});
      lookLater();
    }, ms);
    // The chunk keeps its process alive, if it still runs here.
    timer.unref();
  };
  lookLater();
  return () => clearTimeout(timer);
}

function partsOf(control: RunControl): string {
  const hedge = { hedgeMs: undefined, hedgeRound: undefined };
  const others = { ...hedge, pauseWhenFailing: undefined, condemned: undefined };
  return JSON.stringify({ ...control, ...others });
}
