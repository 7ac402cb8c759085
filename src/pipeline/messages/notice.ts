import { FanfoldError } from '../../errors.ts';
import { MESSAGE_VERSION, messageText } from './chunk.ts';
import { type FailingText, isFailing } from './failing.ts';
import { parsed } from './json-text.ts';
import { isIndex } from './result.ts';

/** A message on a run's result queue that is not a result. */
export type Notice =
  | CancelNotice
  | SealedNotice
  | BegunNotice
  | BrokenNotice
  | FailingNotice
  | ProbedNotice;

/** Asks the collector to end the run. */
export interface CancelNotice {
  notice: 'cancel';
}

/** All inputs are seeded, and the run's tags say how many there are. */
export interface SealedNotice {
  notice: 'sealed';
}

/** The seed can't read any more of the run's inputs. */
export interface BrokenNotice {
  notice: 'broken';
  /** The problem, as a sentence. */
  message: string;
}

/** A worker is about to run an input that may have killed an earlier worker. */
export interface BegunNotice {
  notice: 'begun';
  worker: string;
  index: number;
  attempt: number;
  /** Id of the task message that carries it alone. */
  message: string;
  /** Different each time that it is begun: a notice may arrive twice. */
  id: string;
  /**
   * When it was begun, and when its outcome must have been reported, in milliseconds since 1970:
   * copies of a message may be received while its first receiver is alive. Missing in notices of
   * older versions.
   */
  at?: number;
  until?: number;
}

/** First attempts at inputs have failed, in a run that pauses itself when too many do. */
export interface FailingNotice {
  notice: 'failing';
  /** Different for each notice: it may arrive twice. */
  id: string;
  /** Their number since the worker's last notice. */
  failed: number;
  /** The last error. */
  error: string;
  /** The run's limit. */
  limit: FailingText;
}

/** An attempt has ended that was made to find out whether an outage is over. */
export interface ProbedNotice {
  notice: 'probed';
  /** Different for each notice: it may arrive twice. */
  id: string;
  ok: boolean;
  /** Start of the outage, which tells one outage from another. */
  since: number;
}

/** Longest notice. Messages of results may be longer: most are told apart by their length alone. */
const MAX_LENGTH = 1_000;

export function noticeBody(runId: string, notice: Notice): string {
  const body = messageText(JSON.stringify({ v: MESSAGE_VERSION, runId, ...notice }));
  if (body.length <= MAX_LENGTH || notice.notice !== 'broken') return body;
  const { message } = notice;
  return noticeBody(runId, { ...notice, message: message.slice(0, message.length * 0.8) });
}

/**
 * Reads a message of a run's result queue; undefined if it is not a notice.
 *
 * @throws FanfoldError `BadMessage` for a notice of another kind or version, or about another run
 */
export function readNotice(body: string, runId: string): Notice | undefined {
  if (body.length > MAX_LENGTH || !body.includes('"notice":')) return undefined;
  const read: unknown = parsed(body);
  const { v, notice, ...fields } = (read ?? {}) as Record<string, unknown>;
  if (typeof notice !== 'string') return undefined;
  const known =
    notice === 'cancel' ||
    notice === 'sealed' ||
    (notice === 'begun' && isBegun(fields)) ||
    (notice === 'broken' && typeof fields.message === 'string') ||
    (notice === 'failing' && isAboutFailures(fields)) ||
    (notice === 'probed' && isProbed(fields));
  if (v === MESSAGE_VERSION && known && fields.runId === runId) return read as Notice;
  if (v === MESSAGE_VERSION && known) {
    throw new FanfoldError(
      'BadMessage',
      `Expected a notice about run ${runId}; got one about another run.`,
    );
  }
  throw new FanfoldError(
    'BadMessage',
    `Expected a notice of version ${MESSAGE_VERSION}: "cancel", "sealed", "begun", "broken", "failing" or "probed"; got "${notice}" of version ${JSON.stringify(v)}.`,
  );
}

function isBegun({ worker, index, attempt, message, id, ...times }: Record<string, unknown>) {
  const isText = [worker, message, id].every((text) => typeof text === 'string');
  const areTimes = [times.at, times.until].every(
    (time) => time === undefined || Number.isSafeInteger(time),
  );
  return isText && areTimes && isIndex(index) && Number.isSafeInteger(attempt);
}

function isAboutFailures({ id, failed, error, limit }: Record<string, unknown>): boolean {
  const isText = [id, error].every((text) => typeof text === 'string');
  return isText && Number.isSafeInteger(failed) && Number(failed) > 0 && isFailing(limit);
}

function isProbed({ id, ok, since }: Record<string, unknown>): boolean {
  return typeof id === 'string' && typeof ok === 'boolean' && Number.isSafeInteger(since);
}
