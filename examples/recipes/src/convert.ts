import { defineTask } from 'fanfold';
import * as z from 'zod';

export const convert = defineTask({
  name: 'convert',
  input: z.object({
    id: z.coerce.number().int(),
    joined: z.iso.date(),
    tags: z.string().transform((text) => text.split(';').filter(Boolean)),
  }),
  run: (row) => row,
});
