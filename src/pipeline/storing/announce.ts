import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { FanfoldError } from '../../errors.ts';
import { isTransient } from '../call-errors.ts';
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
 * Announces runs on the default event bus.
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
    try {
      const answer = await events.send(new PutEventsCommand({ Entries }));
      // An accepted call may hold a refused entry.
      const [{ ErrorCode, ErrorMessage } = {}] = answer.Entries ?? [];
      if (ErrorCode === undefined) return;
      throw new FanfoldError(
        'RunFailed',
        `EventBridge refused an event: ${ErrorCode}: ${ErrorMessage}`,
      );
    } catch (error) {
      if (isTransient(error)) throw error;
      onRefused(error);
    }
  };
  return {
    started: (detail) => put('Fanfold Run Started', detail),
    ended: (detail) => put('Fanfold Run Ended', detail),
  };
}
