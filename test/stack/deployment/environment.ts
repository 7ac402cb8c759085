import { type ChildProcess, fork, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Handler } from '../../../src/emulator/lambda/function.ts';
import { PROGRAMS } from '../assembly.ts';
import type { Answer, Initialized, Invocation } from './runtime.ts';

type Context = Parameters<Handler>[1];

/** Options of an execution environment. */
export interface EnvironmentOptions {
  /** The environment variables of its process. */
  readonly env: Record<string, string>;
  readonly memoryMb: number;
  /** Told each line that the process prints. */
  onLine(line: string): void;
  /** Called with the milliseconds of each invocation that AWS would bill. */
  onBilled(ms: number): void;
}

/** The share of a function's memory that Lambda's runtime allows for Node's heap. */
const HEAP_PART = 0.9;

/**
 * Lambda cuts INIT off after so long, in milliseconds, and repeats it inside the first invocation.
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
 */
const INIT_MS = 10_000;

/** Interval of checks of a process's memory, in milliseconds. */
const POLL_MS = 200;

/**
 * An execution environment: a process of its own, which is stopped between two invocations as
 * Lambda freezes it, and killed when it takes more time or memory than its function has.
 */
export class Environment {
  readonly #options: EnvironmentOptions;
  readonly #initialized: Promise<void>;
  #process: ChildProcess;
  #ended: string | undefined;

  constructor(options: EnvironmentOptions) {
    this.#options = options;
    this.#process = this.#start();
    this.#initialized = this.#initialize();
  }

  #start(): ChildProcess {
    const { env, memoryMb, onLine } = this.#options;
    const started = fork(resolve('test/stack/deployment/runtime.ts'), {
      execPath: join(PROGRAMS, 'node'),
      execArgv: [`--max-old-space-size=${Math.floor(memoryMb * HEAP_PART)}`],
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    continueOrphan(started);
    for (const stream of [started.stdout, started.stderr]) stream && eachLine(stream, onLine);
    started.once('exit', (code, signal) => {
      if (started !== this.#process) return;
      this.#ended ??= signal ? `signal: ${signal}` : `exit status ${code}`;
    });
    return started;
  }

  /** Resolves when the handler's module is loaded or failed to load, or the process has ended. */
  #initialize(): Promise<void> {
    const { promise, resolve: initialized } = Promise.withResolvers<void>();
    const watch = (started: ChildProcess) =>
      started
        .once('exit', () => started === this.#process && initialized())
        // A process that was cut off may still say so, while the next one has not.
        .once('message', (_: Initialized) => started === this.#process && initialized());
    watch(this.#process);
    const limit = setTimeout(() => {
      const late = this.#process;
      this.#process = this.#start();
      watch(this.#process);
      late.kill('SIGKILL');
    }, INIT_MS);
    return promise.finally(() => clearTimeout(limit));
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  kill(reason = 'signal: killed'): void {
    this.#ended ??= reason;
    this.#process.kill('SIGKILL');
  }

  async invoke(event: unknown, context: Context): Promise<unknown> {
    await this.#initialized;
    const remainingMs = context.getRemainingTimeInMillis();
    if (remainingMs === 0) this.kill();
    if (this.ended) throw exitError(context.awsRequestId, this.#ended);
    const begunAt = performance.now();
    const { promise, resolve: succeed, reject: fail } = Promise.withResolvers<Answer>();
    const onExit = () => fail(exitError(context.awsRequestId, this.#ended));
    this.#process.once('exit', onExit).once('message', succeed);
    // The Lambda reports the timeout itself.
    const timeout = setTimeout(() => this.kill(), remainingMs + 10);
    const watch = setInterval(() => this.#watchMemory(), POLL_MS);
    try {
      this.#process.kill('SIGCONT');
      const plain = JSON.parse(JSON.stringify(context));
      const invocation: Invocation = { event, context: plain, deadline: Date.now() + remainingMs };
      this.#process.send(invocation, (error) => error && onExit());
      const answer = await promise.catch((error: unknown) => {
        this.#options.onBilled(performance.now() - begunAt);
        throw error;
      });
      this.#options.onBilled(answer.ms);
      if ('payload' in answer) return JSON.parse(answer.payload);
      const { errorType: name, errorMessage, stack } = answer;
      throw Object.assign(new Error(errorMessage), { name, stack });
    } finally {
      clearTimeout(timeout);
      clearInterval(watch);
      this.#process.removeListener('exit', onExit).removeListener('message', succeed);
      this.#process.kill('SIGSTOP');
    }
  }

  #watchMemory(): void {
    const mb = residentMb(this.pid);
    if (mb !== undefined && mb > this.#options.memoryMb) this.kill('signal: killed');
  }
}

/** Its input ends with this process. A signal to all processes of a terminal must not end it. */
const CONTINUES = `trap '' HUP INT TERM
while read -r pid; do pids="$pids $pid"; done
kill -CONT $pids`;

let continuing: ReturnType<typeof startContinuing> | undefined;

function startContinuing() {
  const shell = spawn('sh', ['-c', CONTINUES], { stdio: ['pipe', 'ignore', 'ignore'] });
  shell.unref();
  return shell;
}

/** Continues a process once this one is gone, even if it was killed: a stopped one can't notice. */
function continueOrphan({ pid }: ChildProcess): void {
  continuing ??= startContinuing();
  continuing.stdin.write(`${pid}\n`);
}

/** On systems that report it; elsewhere the heap's limit must do. */
function residentMb(pid: number): number | undefined {
  try {
    const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kib === undefined ? undefined : Number(kib) / 1024;
  } catch {
    return undefined;
  }
}

function exitError(requestId: string, how = 'unknown'): Error {
  const message = `RequestId: ${requestId} Error: Runtime exited with error: ${how}`;
  return Object.assign(new Error(message), { name: 'Runtime.ExitError' });
}

function eachLine(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
}
