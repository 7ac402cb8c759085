import { messageOf } from '../../errors.ts';
import { messageText } from '../messages/chunk.ts';
import { type FailureCode, MAX_RESULT_BYTES } from '../messages/result.ts';

/** The output as JSON text fit for a message, or why it has none. Nothing at all is `null`. */
export function outputText(output: unknown): string | { code: FailureCode; message: string } {
  let text: string | undefined;
  try {
    text = output === undefined ? 'null' : JSON.stringify(output);
  } catch (thrown) {
    return { code: 'OutputNotJson', message: `The output is not JSON: ${messageOf(thrown)}` };
  }
  if (text === undefined) {
    return {
      code: 'OutputNotJson',
      message: `The output is a ${typeof output}, which JSON has not.`,
    };
  }
  text = messageText(text);
  // Three bytes are the most that a UTF-16 unit takes: most texts need no exact count.
  if (text.length * 3 > MAX_RESULT_BYTES && Buffer.byteLength(text) > MAX_RESULT_BYTES) {
    return {
      code: 'OutputTooLarge',
      message: `The output takes ${Buffer.byteLength(text)} bytes as JSON; an SQS message holds at most ${MAX_RESULT_BYTES} of them. Put it where its reader can fetch it (a file, S3), and return its path.`,
    };
  }
  return text;
}
