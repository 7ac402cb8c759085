import { FanfoldError, InputError, messageOf } from '../../errors.ts';
import { inputTooLarge, isOver, MAX_INPUT_BYTES } from '../messages/chunk.ts';
import { MAX_PAYLOAD_BYTES, payloadItem } from '../messages/payload.ts';
import { PayloadError, type Payloads } from './payloads.ts';

/** Whether no message can hold an input. */
export function isLargeInput(text: string): boolean {
  return isOver(text, MAX_INPUT_BYTES);
}

/**
 * Stores an input that no message can hold, and returns the text that stands for it.
 *
 * @throws InputError when it is over the limit, or there is no bucket for it
 */
export async function storeInput(
  payloads: Payloads | undefined,
  runId: string,
  index: number,
  text: string,
): Promise<string> {
  if (isOver(text, MAX_PAYLOAD_BYTES)) throw inputTooLarge(index, Buffer.byteLength(text));
  try {
    if (payloads === undefined) throw new PayloadError('noBucket', 'there is none for larger ones');
    return payloadItem(await payloads.putInput(runId, index, text));
  } catch (error) {
    const has = `has ${Buffer.byteLength(text)} bytes as JSON`;
    if (error instanceof PayloadError && error.kind === 'noBucket') {
      const why = `a message holds at most ${MAX_INPUT_BYTES}, and ${error.message}`;
      throw new InputError(index, `${has}; ${why}.`, { cause: error });
    }
    const why = `could not be stored in the deployment's bucket: ${messageOf(error)}`;
    throw new FanfoldError('RunFailed', `Input ${index} ${has}, and ${why}.`, { cause: error });
  }
}
