import type { ChunkItem } from '../messages/chunk.ts';
import type { OutputPayload } from '../messages/payload.ts';
import type { Failure } from '../messages/result.ts';

/** Outcome of one attempt at one input. */
export type Outcome =
  | { index: number; ok: true; output: string | OutputPayload; ms: number }
  | { index: number; ok: false; item: ChunkItem; failure: AttemptFailure; ms: number };

/** Failure of an attempt, and whether another one may help. */
export interface AttemptFailure extends Omit<Failure, 'attempts'> {
  retryable: boolean;
  /** Wait before the next one, in seconds. @default the task's backoff */
  delaySeconds?: number | undefined;
  /** Whether this attempt does not count. */
  later?: boolean;
}
