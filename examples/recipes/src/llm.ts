import { defineTask, NonRetryableError } from 'fanfold';
import * as z from 'zod';

const Answer = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1),
  usage: z.object({ total_tokens: z.number() }).optional(),
});
const Label = z.enum(['praise', 'complaint']);

export const classify = defineTask({
  name: 'classify',
  input: z.object({ id: z.string(), text: z.string().max(20_000) }),
  concurrency: 8,
  timeoutSeconds: 120,
  maxAttempts: 5,
  backoffBaseSeconds: 20,
  async run({ id, text }, { signal, log }) {
    const { LLM_URL, LLM_KEY, LLM_MODEL } = process.env;
    const response = await fetch(`${LLM_URL}/chat/completions`, {
      method: 'POST',
      signal,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${LLM_KEY}` },
      body: JSON.stringify({
        model: LLM_MODEL,
        temperature: 0,
        messages: [{ role: 'user', content: `Answer "praise" or "complaint" only.\n\n${text}` }],
      }),
    });
    const says = `the model's API answered ${response.status}`;
    if ([400, 401, 403, 404].includes(response.status)) throw new NonRetryableError(says);
    if (!response.ok) throw new Error(says);
    const { choices, usage } = Answer.parse(await response.json());
    const label = Label.parse(choices[0]?.message.content.trim());
    log.info('classified', { tokens: usage?.total_tokens });
    return { id, label, tokens: usage?.total_tokens ?? 0 };
  },
});
