import { messageOf } from '../../errors.ts';
import type { Json } from '../../task.ts';
import { isOver, type ReceivedItem } from '../messages/chunk.ts';
import { parsed } from '../messages/json-text.ts';
import type { OutputPayload, Payload } from '../messages/payload.ts';
import { type FailureCode, MAX_RESULT_BYTES } from '../messages/result.ts';
import { PayloadError, type Payloads } from '../run/payloads.ts';
import { tooLarge } from './output-text.ts';

/** Bytes of large inputs that a worker has in memory at once, unless a single one has more. */
const INPUT_BYTES = 128 * 1024 * 1024;

/** Wait before another try of an input whose object could not be fetched or stored, in seconds. */
const AGAIN_SECONDS = 15;

/** Failure of an attempt whose input or output could not be moved. */
interface MoveFailure {
  code: FailureCode;
  name: string;
  message: string;
  retryable: boolean;
  delaySeconds?: number;
  /** Whether this attempt does not count. */
  later?: boolean;
}

/** Why an attempt could not begin, or its output not be stored. */
export class NotMoved extends Error {
  readonly failure: MoveFailure;

  constructor(failure: MoveFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** Fetches large inputs of a run's attempts, and stores their large outputs. */
export class LargeValues {
  readonly #payloads: Payloads | undefined;
  readonly #runId: string;
  #inputBytes = 0;

  constructor(payloads: Payloads | undefined, runId: string) {
    this.#payloads = payloads;
    this.#runId = runId;
  }

  /** Whether an input must wait until others have left the memory. */
  mustWait({ payload }: ReceivedItem): boolean {
    return payload !== undefined && this.#inputBytes > 0 && !this.#fits(payload);
  }

  #fits({ bytes }: Payload): boolean {
    return this.#inputBytes + bytes <= INPUT_BYTES;
  }

  /** @throws NotMoved */
  async load(index: number, payload: Payload): Promise<Json> {
    this.#inputBytes += payload.bytes;
    try {
      const text = await this.#using((payloads) => payloads.getInput(this.#runId, index, payload));
      const value = parsed(text);
      if (value === undefined) throw new PayloadError('gone', 'its object is not JSON');
      return value;
    } catch (error) {
      throw new NotMoved({ code: 'Lost', name: 'Lost', ...reasonOf(error, 'fetched', payload) });
    }
  }

  /** The input left the memory. */
  left({ payload }: ReceivedItem): void {
    this.#inputBytes -= payload?.bytes ?? 0;
  }

  /** Whether an output does not fit in a message. */
  isLarge(text: string): boolean {
    return isOver(text, MAX_RESULT_BYTES);
  }

  /** @throws NotMoved */
  async store(index: number, text: string): Promise<OutputPayload> {
    try {
      return await this.#using((payloads) => payloads.putOutput(this.#runId, index, text));
    } catch (error) {
      if (!(error instanceof PayloadError)) {
        const bytes = Buffer.byteLength(text);
        throw new NotMoved({ code: 'Lost', name: 'Lost', ...reasonOf(error, 'stored', { bytes }) });
      }
      const why = `a message holds at most ${MAX_RESULT_BYTES}, and ${error.message}. Or put the data where its reader can fetch it`;
      throw new NotMoved({ name: 'TypeError', ...tooLarge(text, why), retryable: false });
    }
  }

  #using<Answer>(use: (payloads: Payloads) => Promise<Answer>): Promise<Answer> {
    if (this.#payloads) return use(this.#payloads);
    throw new PayloadError('noBucket', 'this worker has no access to a bucket for larger ones');
  }
}

function reasonOf(
  error: unknown,
  moved: 'fetched' | 'stored',
  { bytes }: Pick<Payload, 'bytes'>,
): Omit<MoveFailure, 'code' | 'name'> {
  const what = moved === 'fetched' ? 'input' : 'output';
  const message = `The ${what}, of ${bytes} bytes, could not be ${moved}: ${messageOf(error)}.`;
  if (error instanceof PayloadError) return { message, retryable: false };
  return { message, retryable: true, delaySeconds: AGAIN_SECONDS, later: true };
}
