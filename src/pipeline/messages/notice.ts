import { FanfoldError } from '../../errors.ts';
import { MESSAGE_VERSION, messageText } from './chunk.ts';
import { isIndex } from './result.ts';

/** What is said on a run's result queue besides results. */
export type Notice = CancelNotice | SealedNotice | BegunNotice | BrokenNotice;

/** Whoever collects is to end the run. */
export interface CancelNotice {
  notice: 'cancel';
}

/** The run's tags say how many inputs it has: all of them are seeded. */
export interface SealedNotice {
  notice: 'sealed';
}

/** The seed can't read the run's inputs any further. */
export interface BrokenNotice {
  notice: 'broken';
  /** What is wrong, as a sentence. */
  message: string;
}

/** A worker is about to run an input that a worker before it may have died of. */
export interface BegunNotice {
  notice: 'begun';
  worker: string;
  index: number;
  attempt: number;
  /** The id of the task message that carries it, alone. */
  message: string;
  /** One for each time that it is begun: a notice may come twice. */
  id: string;
}

/** No notice is longer. A message of results may be: so most are told apart by their length alone. */
const MAX_LENGTH = 1_000;

export function noticeBody(runId: string, notice: Notice): string {
  const body = messageText(JSON.stringify({ v: MESSAGE_VERSION, runId, ...notice }));
  if (body.length <= MAX_LENGTH || notice.notice !== 'broken') return body;
  const { message } = notice;
  return noticeBody(runId, { ...notice, message: message.slice(0, message.length * 0.8) });
}

/**
 * Reads a message of a run's result queue; undefined when it is no notice.
 *
 * @throws FanfoldError `BadMessage` for a notice of another kind or version, or about another run
 */
export function readNotice(body: string, runId: string): Notice | undefined {
  if (body.length > MAX_LENGTH || !body.includes('"notice":')) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return undefined;
  }
  const { v, notice, ...fields } = (parsed ?? {}) as Record<string, unknown>;
  if (typeof notice !== 'string') return undefined;
  const known =
    notice === 'cancel' ||
    notice === 'sealed' ||
    (notice === 'begun' && isBegun(fields)) ||
    (notice === 'broken' && typeof fields.message === 'string');
  if (v === MESSAGE_VERSION && known && fields.runId === runId) return parsed as Notice;
  if (v === MESSAGE_VERSION && known) {
    throw new FanfoldError('BadMessage', `A notice about run ${runId} was expected.`);
  }
  throw new FanfoldError(
    'BadMessage',
    `A notice of version ${MESSAGE_VERSION} was expected, "cancel", "sealed", "begun" or "broken"; this one is "${notice}" of version ${JSON.stringify(v)}.`,
  );
}

function isBegun({ worker, index, attempt, message, id }: Record<string, unknown>): boolean {
  const isText = [worker, message, id].every((text) => typeof text === 'string');
  return isText && isIndex(index) && Number.isSafeInteger(attempt);
}
