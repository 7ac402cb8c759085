// The task of the design's sample.
import { defineTask } from 'fanfold';
import * as z from 'zod';

export const resize = defineTask({
  name: 'resize',
  input: z.object({ url: z.url() }),
  maxAttempts: 3,
  timeoutSeconds: 30,
  async run({ url }, { signal, runId, index, attempt, log }) {
    const body = await (await fetch(url, { signal })).arrayBuffer();
    log.info('fetched', { url, runId, index, attempt });
    return { bytes: body.byteLength };
  },
});
