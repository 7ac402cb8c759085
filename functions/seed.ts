import { jsonLog, s3Inputs, seedHandler } from '../src/handlers.ts';

export const handler = seedHandler(() => import('#shipped-tasks'), {
  log: jsonLog(),
  s3: s3Inputs(),
});
