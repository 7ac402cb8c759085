export type { Access } from './call.ts';
export { createS3Client, OWN_S3_SETTINGS } from './client.ts';
export { errorResponse, S3Error, type S3ErrorCode } from './errors.ts';
export { S3, type S3Options } from './s3.ts';
export { MemoryStorage, type Storage } from './storage.ts';
