import { defineTask, NonRetryableError } from 'fanfold';

export const lookUp = defineTask({
  name: 'look-up',
  concurrency: 5, // calls at once in one worker
  timeoutSeconds: 20,
  maxAttempts: 6,
  backoffBaseSeconds: 10, // the time that the API takes to recover
  backoffCapSeconds: 300,
  async run(id: string, { signal }) {
    const { API_URL = 'https://api.example.com' } = process.env;
    const response = await fetch(`${API_URL}/items/${encodeURIComponent(id)}`, { signal });
    if (response.ok) return response.text();
    const says = `${response.url} answered ${response.status}`;
    if (response.status === 429 || response.status >= 500) throw new Error(says);
    throw new NonRetryableError(says);
  },
});
