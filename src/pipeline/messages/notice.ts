import { FanfoldError } from '../../errors.ts';
import { MESSAGE_VERSION } from './chunk.ts';

/** What is said on a run's result queue besides results. */
export type Notice = CancelNotice | BegunNotice;

/** Whoever collects is to end the run. */
export interface CancelNotice {
  notice: 'cancel';
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
  return JSON.stringify({ v: MESSAGE_VERSION, runId, ...notice });
}

/** Reads a message of a result queue; undefined when it is no notice. */
export function readNotice(body: string): Notice | undefined {
  if (body.length > MAX_LENGTH || !body.includes('"notice":')) return undefined;
  let message: unknown;
  try {
    message = JSON.parse(body);
  } catch {
    return undefined;
  }
  const { v, notice, index, message: id } = (message ?? {}) as Record<string, unknown>;
  if (typeof notice !== 'string') return undefined;
  const known =
    notice === 'cancel' ||
    (notice === 'begun' && Number.isSafeInteger(index) && typeof id === 'string');
  if (v === MESSAGE_VERSION && known) return message as Notice;
  throw new FanfoldError(
    'BadMessage',
    `A notice of version ${MESSAGE_VERSION} was expected, "cancel" or "begun"; this one is "${notice}" of version ${JSON.stringify(v)}.`,
  );
}
