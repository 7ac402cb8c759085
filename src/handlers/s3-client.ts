import { S3Client } from '@aws-sdk/client-s3';

// A module of its own: a bundler keeps all of a package that is imported by need.

/** A client from the environment, as in Lambda. */
export const s3OfEnvironment = () => new S3Client({});
