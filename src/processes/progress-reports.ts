import type { EndedAttempt } from '../pipeline/working/held.ts';
import type { Ran } from './protocol.ts';

/** Maximum number of slow attempts in one report: more lines at once can't be read. */
const SLOW_LINES = 8;

const TELL_MS = 500;

/**
 * Counts the final results and the attempts of a worker, and reports them at most twice a second.
 *
 * @param slowMs duration from which an attempt is reported on its own, in milliseconds
 */
export function telling(
  tell: (ran: Ran) => void,
  slowMs: number,
): {
  onEnded: (ended: EndedAttempt) => void;
  close: () => void;
} {
  let ran = nothing();
  const tellAll = () => {
    if (ran.attempts === 0) return;
    tell(ran);
    ran = nothing();
  };
  const timer = setInterval(tellAll, TELL_MS);
  return {
    onEnded({ task, index, failure, ms, again }) {
      const ok = failure === undefined;
      ran.attempts++;
      if (ok) ran.ok++;
      else if (!again) ran.failed++;
      if (ms >= slowMs && ran.slow.length < SLOW_LINES) ran.slow.push({ task, index, ok, ms });
    },
    close() {
      clearInterval(timer);
      tellAll();
    },
  };
}

function nothing(): Ran {
  return { ok: 0, failed: 0, attempts: 0, slow: [] };
}
