import { createS3Client } from '../../../src/emulator/s3/index.ts';
import { s3Contract } from './cases.ts';

s3Contract({ name: 'in process', open: async () => createS3Client(), close: async () => {} });
