import { createS3Client } from '../../../src/emulator/s3/index.ts';
import { s3Contract } from './cases.ts';

s3Contract({
  name: 'in process',
  longMib: 8,
  open: async () => createS3Client(),
  close: async () => {},
});
