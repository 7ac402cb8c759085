export type { Access } from './call.ts';
export { createS3Client } from './client.ts';
export { openFolder } from './folder.ts';
export { S3, type S3Options } from './s3.ts';
export { serveS3 } from './server.ts';
