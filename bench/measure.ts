import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { watchTree } from './tree-memory.ts';

export interface Command {
  program: string;
  args: readonly string[];
}

export interface Measured {
  /** From the start of the process to its exit. */
  seconds: number;
  /** Peak memory of the process, without its children; undefined without /proc. */
  peakBytes: number | undefined;
  stdout: string;
}

/** A run with the processor time of the process and of all children that it waited for. */
export interface Timed extends Measured {
  /** Peak memory of the process and of all below it. */
  peakBytes: number | undefined;
  processorSeconds: number;
}

/** Time after which a process is considered hung. */
const LIMIT_MS = 15 * 60_000;

interface MeasureOptions {
  cwd: string;
  signal: AbortSignal;
  env?: NodeJS.ProcessEnv;
  /** Follows the memory of a process. @default that of the process alone */
  follow?: (pid: number) => { bytes(): number | undefined; stop(): void };
  /** True if the signal must also end the processes that it starts: they share its process group. */
  group?: boolean;
}

/** Runs a command to its end. Rejects with the end of its stderr if it fails. */
export function measure(
  command: Command,
  { follow = watchPeak, group = false, signal, ...options }: MeasureOptions,
): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(command.program, command.args, {
      ...options,
      ...(group ? { detached: true } : { signal }),
      timeout: LIMIT_MS,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const endGroup = () => child.pid !== undefined && process.kill(-child.pid, 'SIGTERM');
    if (group) signal.addEventListener('abort', endGroup, { once: true });
    const peak = follow(child.pid ?? 0);
    let seconds = 0;
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-4_000);
    });
    child.on('exit', () => {
      signal.removeEventListener('abort', endGroup);
      seconds = (performance.now() - began) / 1_000;
      peak.stop();
    });
    child.on('error', (cause) => {
      peak.stop();
      reject(cause);
    });
    child.on('close', (status, killedBy) => {
      if (status === 0) {
        resolve({ seconds, peakBytes: peak.bytes(), stdout });
        return;
      }
      const end = killedBy ? `was killed by ${killedBy}` : `ended with status ${status}`;
      const line = [command.program, ...command.args].join(' ');
      reject(
        new Error(`\`${line}\` ${end} after ${seconds.toFixed(1)} s:\n${stderr.trim() || stdout}`),
      );
    });
  });
}

/**
 * Like `measure`, with processor time, which other load on the machine changes less than the time
 * that passes. bash measures it (getrusage). Repeats a quick command, and returns one run's share.
 */
export async function measureProcessor(
  { program, args }: Command,
  options: { cwd: string; signal: AbortSignal; times?: number },
): Promise<Timed> {
  const { times: repeated = 1, ...rest } = options;
  const script = `TIMEFORMAT='%U %S'; time (for ((n = 0; n < ${repeated}; n++)); do "$0" "$@" >&3 2>&4 || exit 1; done) 2>&1`;
  const line = ['-c', `exec 3>&1 4>&2; { ${script}; } 2>&1`, program, ...args];
  const measured = await measure(
    { program: 'bash', args: line },
    { ...rest, follow: watchTree, group: true },
  );
  const [, user = '', system = ''] = /([\d.]+) ([\d.]+)\s*$/.exec(measured.stdout) ?? [];
  return {
    ...measured,
    seconds: measured.seconds / repeated,
    processorSeconds: (Number(user) + Number(system)) / repeated,
  };
}

/**
 * Follows a process's peak memory by the kernel's high-water mark, so that one late reading is
 * enough. `ru_maxrss` (wait4, /usr/bin/time) is not suitable: on Linux it starts from the peak of
 * the process that forked it, which here is the bench. See getrusage(2) and exec's
 * setmax_mm_hiwater_rss. VmHWM (proc_pid_status(5)) only counts the new program.
 */
function watchPeak(pid: number): { bytes(): number | undefined; stop(): void } {
  let bytes: number | undefined;
  const timer = setInterval(() => {
    bytes = readPeak(pid) ?? bytes;
  }, 20);
  return { bytes: () => bytes, stop: () => clearInterval(timer) };
}

function readPeak(pid: number): number | undefined {
  try {
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1_024;
  } catch {
    // The process has just exited, or this system has no /proc.
    return undefined;
  }
}

/**
 * Runs each side of a comparison `rounds` times, in turns, so that other load on the machine
 * affects both sides equally.
 */
export async function inTurns<A, B>(
  rounds: number,
  a: () => Promise<A>,
  b: () => Promise<B>,
): Promise<[A[], B[]]> {
  const results: [A[], B[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    results[0].push(await a());
    results[1].push(await b());
  }
  return results;
}

/** The median of an odd number of values. */
export function median(values: readonly number[]): number {
  const middle = values.toSorted((a, b) => a - b)[(values.length - 1) / 2];
  if (middle === undefined) {
    throw new Error(`A median needs an odd number of values; got ${values.length}.`);
  }
  return middle;
}

/** The median of the runs' peaks; undefined if one is unknown. */
export function medianPeak(runs: readonly Measured[]): number | undefined {
  const peaks = runs.map((run) => run.peakBytes);
  return peaks.every((peak) => peak !== undefined) ? median(peaks) : undefined;
}
