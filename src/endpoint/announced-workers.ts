import type { SQSClient } from '@aws-sdk/client-sqs';

/** Header by which a machine announces its workers to a server. */
const WORKERS = 'x-fanfold-workers';

/** The workers of one process of a machine. */
export interface Announced {
  /** Name of the machine and its process, such as `desk-4711`. */
  name: string;
  /** Number of workers; 0 when they stop. */
  count: number;
}

/** Adds to each request of a client which workers it belongs to. */
export function announcing(client: SQSClient, announced: Announced): SQSClient {
  client.middlewareStack.add(
    (next) => (args) => {
      // The request is an HTTP request here, since the client serializes before this step.
      const { headers } = args.request as { headers: Record<string, string> };
      headers[WORKERS] = `${announced.name}/${announced.count}`;
      return next(args);
    },
    { step: 'build', name: 'announcedWorkers' },
  );
  return client;
}

/** Reads the workers that a request announces; undefined if it announces none. */
export function readAnnounced(headers: Readonly<Record<string, string>>): Announced | undefined {
  const [, name, count] = /^([\w-]{1,80})\/(\d{1,4})$/.exec(headers[WORKERS] ?? '') ?? [];
  return name === undefined ? undefined : { name, count: Number(count) };
}
