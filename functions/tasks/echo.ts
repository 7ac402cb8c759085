import { defineTask, type Json } from '../../src/task.ts';

/** Returns its input, for experiments. */
export const echo = defineTask({ name: 'echo', run: (input: Json) => input });
