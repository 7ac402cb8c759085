import type { Backlog, Run } from '../index.ts';
import { commandLine } from './command-line.ts';
import { count, say } from './log.ts';
import { type Connection, flagsOf, nameOf, type Target } from './target.ts';
import { findTasksModule } from './tasks-module.ts';

/** Interval of checks, in milliseconds: each costs money on AWS. */
const POLL_MS = { server: 500, stack: 5_000 };
const TICK_MS = 250;
/** Silence that is reported as an outage, in ms: calls are retried silently for many seconds. */
const AWAY_MS = { server: 1_750, stack: 7_000 };
/** Time that chunks wait for a worker before that is reported, in ms: AWS starts workers slowly. */
const IDLE_MS = { server: 4_500, stack: 60_000 };

/** Reports of a run elsewhere, until they are stopped. */
export interface Silence {
  /** What the run waits for during an outage, such as `the server`; otherwise undefined. */
  readonly awaited: string | undefined;
  stop(): void;
}

/**
 * Reports why a run elsewhere yields no results: its SQS does not answer, or it has no workers.
 *
 * It polls the task queue while no results arrive. The place counts as away once neither a result
 * nor a response has arrived for a while, until one does.
 */
export function reportSilence(run: Run, { fanfold, target }: Connection): Silence {
  const kind = target.kind === 'stack' ? 'stack' : 'server';
  const name = nameOf(target);
  const done = () => run.ledger.ok + run.ledger.failed;
  let last = done();
  let tickedAt = performance.now();
  let answeredAt = tickedAt;
  let polledAt = tickedAt;
  let isPolling = false;
  let isAway = false;
  let reason = '';
  let idleSince: number | undefined;
  let isIdleReported = false;
  let isStopped = false;
  const answered = () => {
    answeredAt = performance.now();
    reason = '';
    if (isAway) say(`${name} responds again`);
    isAway = false;
  };
  const notIdle = () => {
    idleSince = undefined;
    isIdleReported = false;
  };
  const see = ({ waiting, inFlight }: Backlog) => {
    answered();
    if (waiting === 0 || inFlight > 0 || run.settings.pausedAt !== undefined) {
      notIdle();
      return;
    }
    idleSince ??= answeredAt;
    if (isIdleReported || answeredAt - idleSince < IDLE_MS[kind]) return;
    isIdleReported = true;
    say(
      `no results are arriving: ${count(waiting, 'chunk')} waiting, and no worker receives them; ${remedyFor(target)}`,
    );
  };
  const poll = async () => {
    isPolling = true;
    polledAt = performance.now();
    const seen = await fanfold.backlog().then(
      (backlog) => () => see(backlog),
      (error: unknown) => () => {
        // A refusal shows that the service answers.
        if (isRefusal(error)) answered();
        else reason = ` (${reasonOf(error)})`;
      },
    );
    isPolling = false;
    if (!isStopped) seen();
  };
  const timer = setInterval(() => {
    const now = performance.now();
    // This process was blocked, or its machine was asleep, so it could not receive a response.
    if (now - tickedAt > 2 * TICK_MS) answeredAt = Math.max(answeredAt, now - TICK_MS);
    tickedAt = now;
    if (done() !== last) {
      last = done();
      notIdle();
      answered();
      return;
    }
    if (!isPolling && now - polledAt >= POLL_MS[kind] - TICK_MS / 2) void poll();
    if (isAway || now - answeredAt < AWAY_MS[kind]) return;
    isAway = true;
    say(`${name} does not respond${reason}: waiting for it`);
  }, TICK_MS);
  return {
    get awaited() {
      return isAway ? `the ${kind}` : undefined;
    },
    stop() {
      isStopped = true;
      clearInterval(timer);
      // The place may have answered again, and ended the run, since the last check.
      if (done() !== last) answered();
    },
  };
}

/** How to get workers for the chunks that wait. */
function remedyFor(target: Target): string {
  if (target.kind === 'stack') return 'see the log of the worker function';
  const line = `start a worker with \`${commandLine(['work', ...flagsOf(target)])}\``;
  const needs = [
    ...(process.env.FANFOLD_JOIN ? ['the same FANFOLD_JOIN'] : []),
    ...(namesNoTasks() ? ["the server's --tasks"] : []),
  ];
  return needs.length === 0 ? line : `${line}, with ${needs.join(' and ')}`;
}

/** Whether a worker that is started in this folder would have the built-in tasks only. */
function namesNoTasks(): boolean {
  try {
    return findTasksModule(undefined).shipped;
  } catch {
    // The worker says what is wrong with the package.json.
    return false;
  }
}

/** Whether a service answered with a refusal, which a retry can't help. */
export function isRefusal(error: unknown): boolean {
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode ?? 0;
  return status >= 400 && status < 500;
}

/** Code such as `ECONNREFUSED`, since an error with several causes has an empty message. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
