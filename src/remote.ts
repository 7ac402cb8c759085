import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { FanfoldError } from './errors.ts';
import type { World } from './local/world.ts';
import { namesOf } from './pipeline/names.ts';

export interface RemoteOptions {
  /** The deployment's name. */
  name: string;
  /** Where its services are. @default AWS's own endpoints, or the environment's AWS_ENDPOINT_URL */
  endpoint?: string | undefined;
  /** How many workers chunks are cut for. */
  workers: number;
}

/** A server of ours has no region of its own, and SDK clients need one. */
const REGION = 'us-east-1';

/** A deployment elsewhere: its tasks and workers are there. Nothing is asked of it yet. */
export function openRemote({ name, endpoint, workers }: RemoteOptions): World {
  if (endpoint !== undefined && !/^https?:\/\/[^/]/.test(endpoint)) {
    throw new FanfoldError(
      'BadOption',
      `An endpoint is like http://192.168.1.7:9324; "${endpoint}" is not.`,
    );
  }
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  const region = AWS_REGION ?? AWS_DEFAULT_REGION ?? REGION;
  const place = endpoint === undefined ? {} : { endpoint, region };
  // Queue URLs name the address by which somebody else asked for them.
  const sqs = new SQSClient({ ...place, useQueueUrlAsEndpoint: false });
  const lambda = new LambdaClient(place);
  return {
    deployment: { sqs, lambda, names: namesOf(name), workers },
    tasks: undefined,
    add() {},
    async close() {
      sqs.destroy();
      lambda.destroy();
    },
  };
}
