import { readFileSync } from 'node:fs';
import type { EndedAttempt } from '../pipeline/working/held.ts';

/** An attempt that has ended, as it was measured. */
export interface MeasuredAttempt extends Pick<EndedAttempt, 'runId' | 'index' | 'ms'> {
  /** Time at which it ended, in milliseconds since 1970. */
  endedAt: number;
}

/** What a process did while it was measured. */
export interface Measured {
  attempts: MeasuredAttempt[];
  /** Processor time of the process, in milliseconds. */
  cpuMs: number;
  /** Its peak memory since it started, in bytes. */
  peakBytes: number;
}

/** Attempts to remember: a sample is far smaller, and other runs may go on beside it. */
const MOST_ATTEMPTS = 20_000;

/** Measures the work of this process while it is asked to. */
export class Measuring {
  #attempts: MeasuredAttempt[] | undefined;
  #before = process.cpuUsage();

  /** For the worker, at each chunk; undefined while nothing is measured. */
  get onEnded(): ((ended: EndedAttempt) => void) | undefined {
    const attempts = this.#attempts;
    if (attempts === undefined) return undefined;
    return ({ runId, index, ms }) => {
      if (attempts.length >= MOST_ATTEMPTS) return;
      attempts.push({ runId, index, ms, endedAt: Date.now() });
    };
  }

  begin(): void {
    this.#attempts = [];
    this.#before = process.cpuUsage();
  }

  /** Ends it, and returns what was measured. */
  end(): Measured {
    const attempts = this.#attempts ?? [];
    this.#attempts = undefined;
    const { user, system } = process.cpuUsage(this.#before);
    return { attempts, cpuMs: (user + system) / 1000, peakBytes: peakBytes() };
  }
}

/**
 * The process's peak memory. On Linux `maxRSS` starts from the peak of the process that forked this
 * one (getrusage(2)), so the kernel's mark for this program is read instead.
 */
function peakBytes(): number {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    const kibibytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]);
    if (kibibytes > 0) return kibibytes * 1024;
  } catch {
    // No Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}
