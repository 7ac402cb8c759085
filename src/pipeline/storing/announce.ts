import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { retry } from '../../retry.ts';
import { isTransient, PATIENCE_MS } from '../call-errors.ts';
import type { Ledger } from '../run/ledger.ts';

/** The source of Fanfold's events on EventBridge. */
const SOURCE = 'fanfold';

/** Detail of `Fanfold Run Started`. */
export interface RunStarted {
  /** The deployment's name. */
  deployment: string;
  runId: string;
  task: string;
  /** The folder of its results, `s3://bucket/prefix/<runId>/`. */
  results: string;
}

/** Detail of `Fanfold Run Ended`. */
export interface RunEnded extends RunStarted {
  ledger: Pick<Ledger, 'inputs' | 'ok' | 'failed' | 'cancelled'>;
  /** Reason why the run ended early, such as `it was cancelled`; missing if it did not. */
  cause?: string | undefined;
  /** `s3://bucket/prefix/<runId>/manifest.json`. */
  manifest: string;
}

/** Announces a run's start and end, each at least once. */
export interface Announcer {
  started(detail: RunStarted): Promise<void>;
  ended(detail: RunEnded): Promise<void>;
}

/**
 * Codes of refused entries that may be accepted at the next try.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
 */
const RETRYABLE = /^(ThrottlingException|InternalFailure|InternalException|ServiceUnavailable)$/;

/** An entry that EventBridge refused in an accepted call. */
class EntryRefused extends Error {
  readonly isRetryable: boolean;

  constructor(code: string, message = '') {
    super(`EventBridge refused an event: ${code}: ${message}`);
    this.isRetryable = RETRYABLE.test(code);
  }
}

/** Whether the event may be accepted at the next try. */
function mayPass(error: unknown): boolean {
  return error instanceof EntryRefused ? error.isRetryable : isTransient(error);
}

/**
 * Announces runs on the default event bus. Errors that may pass are retried, then thrown: a later
 * collector announces the run.
 *
 * @param onRefused called with an error that no retry can fix, such as denied access: the run does
 * not depend on its events
 */
export function announcerOn(
  events: EventBridgeClient,
  onRefused: (error: unknown) => void,
): Announcer {
  const put = async (DetailType: string, detail: RunStarted | RunEnded) => {
    const Entries = [{ Source: SOURCE, DetailType, Detail: JSON.stringify(detail) }];
    const send = async () => {
      const answer = await events.send(new PutEventsCommand({ Entries }));
      // An accepted call may hold a refused entry.
      const [{ ErrorCode, ErrorMessage } = {}] = answer.Entries ?? [];
      if (ErrorCode !== undefined) throw new EntryRefused(ErrorCode, ErrorMessage);
    };
    try {
      await retry(send, {
        while: (error, _, failingMs) => mayPass(error) && failingMs < PATIENCE_MS,
      });
    } catch (error) {
      if (mayPass(error)) throw error;
      onRefused(error);
    }
  };
  return {
    started: (detail) => put('Fanfold Run Started', detail),
    ended: (detail) => put('Fanfold Run Ended', detail),
  };
}
