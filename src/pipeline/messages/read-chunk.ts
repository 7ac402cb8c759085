import { inspect } from 'node:util';
import { FanfoldError } from '../../errors.ts';
import { createdAt, MAX_DEADLINE_SECONDS } from '../names.ts';
import { type ResultsTo, resultQueueUrl } from '../queue-urls.ts';
import { type Chunk, type Stall, TASK_MESSAGE_VERSION } from './chunk.ts';
import { isFlow } from './flow.ts';
import { isPriority } from './priority.ts';
import { type SplitChunk, splitChunk } from './split-chunk.ts';

/** Longest lead over AWS's clock, in milliseconds: a little more than the seed allows. */
const AHEAD_MS = 330_000;

/** The same for a server's clock, which may be set back during a run. */
const AHEAD_ON_SERVER_MS = MAX_DEADLINE_SECONDS * 1000;

/** Largest attempt that is accepted: one more than the largest `maxAttempts` of a task. */
const MAX_ATTEMPT = 101;

/** The worker that reads a message. */
export interface Reader {
  /** The queue that the message was received from. */
  taskQueueUrl: string;
  /**
   * Whether SQS is a Fanfold server and not AWS. A server may have several addresses, so the one in
   * a message of version 1 may differ from the reader's. Its clock may be set back, so a run may
   * have begun later than now. @default false
   */
  onServer?: boolean | undefined;
  /** Current time by the service's clock, in milliseconds since 1970. */
  now: number;
}

/**
 * Reads a task message. Anyone with permission to send to the task queue may write anything into
 * one, so nothing in it is trusted. Results go to a queue of this deployment, whatever the message
 * says, and each time lies within the bounds that the run's id gives it, so that no chunk
 * circulates forever.
 *
 * @throws FanfoldError `BadMessage` for anything that this deployment's seed can't have sent
 */
export function readChunk(body: string, reader: Reader): Chunk {
  const { taskQueueUrl, now, onServer } = reader;
  const latest = now + (onServer ? AHEAD_ON_SERVER_MS : AHEAD_MS);
  const { fields: message, items } = split(body);
  const { v, runId, task, attempt, workers, stalled } = message;
  const { notBefore, hedge, flow, priority, turn, opens, begun } = message;
  if (v !== 1 && v !== TASK_MESSAGE_VERSION) {
    throw bad(`of version 1 or ${TASK_MESSAGE_VERSION}; got version ${shown(v)}`);
  }
  if (typeof runId !== 'string' || !/^[\w-]{1,80}$/.test(runId)) {
    throw bad(`with a \`runId\` of 1 to 80 letters, digits, "-" and "_"; got ${shown(runId)}`);
  }
  if (typeof task !== 'string') throw bad(`with the name of a \`task\`; got ${shown(task)}`);
  if (!isWhole(attempt, 1, MAX_ATTEMPT)) {
    throw bad(`with an \`attempt\` from 1 to ${MAX_ATTEMPT}; got ${shown(attempt)}`);
  }
  const expiresAt = expiryOf(runId, message.expiresAt, latest);
  if (stalled !== undefined && !isStall(stalled, latest)) {
    throw bad(
      `whose \`stalled\` has \`cause\`, \`since\`, \`last\` and \`hops\`; got ${shown(stalled)}`,
    );
  }
  if (workers !== undefined && !isWhole(workers, 1, MAX_WORKERS)) {
    throw bad(`with \`workers\` from 1 to ${MAX_WORKERS}; got ${shown(workers)}`);
  }
  if (flow !== undefined && !isFlow(flow)) {
    throw bad(`whose \`flow\` has \`lanes\` and bounds; got ${shown(flow)}`);
  }
  if (notBefore !== undefined && !isWhole(notBefore, 0, expiresAt)) {
    throw bad(`with a \`notBefore\` before its \`expiresAt\`; got ${shown(notBefore)}`);
  }
  if (hedge !== undefined && typeof hedge !== 'boolean') {
    throw bad(`with a \`hedge\` of true or false; got ${shown(hedge)}`);
  }
  if (opens !== undefined && typeof opens !== 'boolean') {
    throw bad(`with an \`opens\` of true or false; got ${shown(opens)}`);
  }
  if (begun !== undefined && typeof begun !== 'boolean') {
    throw bad(`with a \`begun\` of true or false; got ${shown(begun)}`);
  }
  if (priority !== undefined && !isPriority(priority)) {
    throw bad(`with a \`priority\` of "high", "normal" or "low"; got ${shown(priority)}`);
  }
  if (turn !== undefined && !isWhole(turn, 0, Number.MAX_SAFE_INTEGER)) {
    throw bad(`with a \`turn\` from 0; got ${shown(turn)}`);
  }
  if (items === undefined) {
    throw bad('whose `items` are pairs of an index and an input; got other items');
  }
  const results = resultsOf(message, runId, reader);
  const url = resultQueueUrl(taskQueueUrl, runId, results);
  const of = { runId, task, attempt, expiresAt, results, workers };
  const envelope = { ...of, stalled, notBefore, hedge, flow, priority, turn, opens, begun };
  return { ...envelope, resultQueueUrl: url, items };
}

/** More workers than any deployment has. */
const MAX_WORKERS = 100_000;

function split(body: string): SplitChunk {
  const found = splitChunk(body);
  if (found !== undefined) return found;
  throw new FanfoldError(
    'BadMessage',
    'Expected a task message; got a message that is not a JSON object.',
  );
}

/**
 * The queue for the results. Version 1 names it by its URL, of which only the name is used. A queue
 * that is not this deployment's shows that the message is not either.
 */
function resultsOf(
  { v, results, resultQueueUrl: url }: Record<string, unknown>,
  runId: string,
  { taskQueueUrl, onServer = false }: Reader,
): ResultsTo {
  const known = (['own', 'shared'] as const).find((one) => {
    if (v !== 1) return results === one;
    const own = resultQueueUrl(taskQueueUrl, runId, one);
    return url === own || (onServer && hasSamePath(String(url), own));
  });
  if (known === undefined) {
    throw v === 1
      ? bad('whose results go to a queue of this deployment; got one for another queue')
      : bad(`with \`results\` of "own" or "shared"; got ${shown(results)}`);
  }
  if (known === 'shared' || createdAt(runId) !== undefined) return known;
  throw bad(`of a run with its own queue, whose id starts with a time; got "${runId}"`);
}

/** Whether two URLs name one queue of a server, whatever address it was reached at. */
function hasSamePath(one: string, other: string): boolean {
  const [here, there] = [URL.parse(one), URL.parse(other)];
  return here !== null && here.pathname === there?.pathname;
}

/**
 * @throws FanfoldError for a run in the future, and for a chunk that outlives the longest deadline
 */
function expiryOf(runId: string, expiresAt: unknown, latestBirth: number): number {
  const born = createdAt(runId);
  if (born !== undefined && born > latestBirth) {
    throw bad(`of a run that has begun; ${runId} is in the future`);
  }
  const latest = (born ?? latestBirth) + MAX_DEADLINE_SECONDS * 1000;
  if (isWhole(expiresAt, 0, latest)) return expiresAt;
  throw bad(
    `whose \`expiresAt\` is at most 13 days after its run began, in milliseconds since 1970; got ${shown(expiresAt)}`,
  );
}

function isStall(value: unknown, latest: number): value is Stall {
  const { cause, since, last, hops } = Object(value) as Partial<Stall>;
  return (
    (cause === 'run' || cause === 'task' || cause === 'worker') &&
    isWhole(last, 0, latest) &&
    isWhole(since, 0, latest) &&
    isWhole(hops, 1, Number.MAX_SAFE_INTEGER)
  );
}

function isWhole(value: unknown, from: number, to: number): value is number {
  return Number.isSafeInteger(value) && Number(value) >= from && Number(value) <= to;
}

function bad(expected: string): FanfoldError {
  return new FanfoldError('BadMessage', `Expected a task message ${expected}.`);
}

/** The first characters of a field, for a sentence. `JSON.stringify` runs out of stack for some. */
function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return inspect(value, { depth: 1 }).slice(0, 60);
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
