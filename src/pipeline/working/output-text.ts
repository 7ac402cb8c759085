import { describeThrown } from '../../thrown.ts';
import { isOver, messageText } from '../messages/chunk.ts';
import { lostFromOutput } from '../messages/lost.ts';
import { whyNotJson } from '../messages/not-json.ts';
import { MAX_PAYLOAD_BYTES } from '../messages/payload.ts';
import type { Failure } from '../messages/result.ts';

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
  if (isOver(text, MAX_PAYLOAD_BYTES)) {
    const limit = `an output can have at most ${MAX_PAYLOAD_BYTES} (64 MiB)`;
    return tooLarge(text, `${limit}. Put the data where its reader can fetch it`);
  }
  const lost = lostFromOutput(output, text);
  if (lost !== undefined) {
    const message = `The output has ${lost.what} at ${lost.path}, which JSON cannot hold.`;
    return { code: 'OutputNotJson', message };
  }
  return text;
}

/** The reason of an output that is too large. @param why the limit, and what to do instead */
export function tooLarge(text: string, why: string): NoText {
  const bytes = Buffer.byteLength(text);
  return {
    code: 'OutputTooLarge',
    message: `The output has ${bytes} bytes as JSON; ${why} (a file, S3), and return its path.`,
  };
}
