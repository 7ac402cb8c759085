import { describeThrown } from '../../thrown.ts';
import { messageText } from '../messages/chunk.ts';
import { lostFromOutput } from '../messages/lost.ts';
import { whyNotJson } from '../messages/not-json.ts';
import { type Failure, MAX_RESULT_BYTES } from '../messages/result.ts';

/** Reason why an output has no text. */
export type NoText = Pick<Failure, 'code' | 'message' | 'stack'>;

/** The output as JSON text fit for a message, or why it has none. `undefined` becomes `null`. */
export function outputText(output: unknown): string | NoText {
  let text: string | undefined;
  try {
    text = output === undefined ? 'null' : JSON.stringify(output);
  } catch (thrown) {
    // Its `toJSON` or one of its getters may have thrown.
    const { stack } = describeThrown(thrown);
    const message = `The output is not JSON: ${whyNotJson(thrown)}.`;
    return { code: 'OutputNotJson', message, stack };
  }
  if (text === undefined) {
    const what =
      typeof output === 'object' ? 'n object whose `toJSON` returns nothing' : ` ${typeof output}`;
    return { code: 'OutputNotJson', message: `The output is a${what}, which JSON cannot hold.` };
  }
  text = messageText(text);
  // A UTF-16 unit takes at most three bytes, so most texts need no exact count.
  if (text.length * 3 > MAX_RESULT_BYTES && Buffer.byteLength(text) > MAX_RESULT_BYTES) {
    return {
      code: 'OutputTooLarge',
      message: `The output has ${Buffer.byteLength(text)} bytes as JSON; an SQS message holds at most ${MAX_RESULT_BYTES}. Put the data where its reader can fetch it (a file, S3), and return its path.`,
    };
  }
  const lost = lostFromOutput(output, text);
  if (lost !== undefined) {
    const message = `The output has ${lost.what} at ${lost.path}, which JSON cannot hold.`;
    return { code: 'OutputNotJson', message };
  }
  return text;
}
