import { defineTask } from 'fanfold';
import * as z from 'zod';

export const countWords = defineTask({
  name: 'count-words',
  input: z.object({ text: z.string() }),
  run({ text }) {
    const words = text.split(/\s+/).filter((word) => word !== '');
    return { words: words.length, different: new Set(words).size };
  },
});
