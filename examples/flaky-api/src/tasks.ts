import { defineTask, NonRetryableError } from 'fanfold';
import * as z from 'zod';

const Weather = z.object({ degrees: z.number() });

export const weather = defineTask({
  name: 'weather',
  input: z.object({ url: z.url() }),
  maxAttempts: 3,
  concurrency: 10,
  // Real APIs need longer to answer, and to recover.
  timeoutSeconds: 0.5,
  backoffBaseSeconds: 0.01,
  async run({ url }, { signal, attempt, log }) {
    const response = await fetch(url, { signal });
    if (response.status >= 400 && response.status < 500 && response.status !== 429) {
      throw new NonRetryableError(`${url} answered ${response.status}`);
    }
    if (!response.ok) {
      log.warn('no answer yet', { url, status: response.status, attempt });
      throw new Error(`${url} answered ${response.status}`);
    }
    return { ...Weather.parse(await response.json()), attempt };
  },
});
