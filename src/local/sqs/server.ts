import { FanfoldError } from '../../errors.ts';
import { type Listening, listen } from '../transport.ts';
import { Sqs, type SqsOptions } from './sqs.ts';

export interface ServeSqsOptions extends SqsOptions {
  /** The address to listen on. @default '127.0.0.1', which this machine alone can reach */
  host?: string;
  /** @default any that is free */
  port?: number;
  /** How long a request may take to arrive, in seconds; then its connection is closed. @default 60 */
  requestTimeoutSeconds?: number;
  /** What answers. @default a new one, with the other options here */
  sqs?: Sqs;
}

/** An SQS on a port. */
export interface SqsServer extends Listening {
  readonly sqs: Sqs;
}

/**
 * Puts an SQS on a port, for any AWS client:
 *
 * ```ts
 * await using server = await serveSqs();
 * const client = new SQSClient({ endpoint: server.url, region: 'us-east-1', credentials });
 * ```
 */
export async function serveSqs(options: ServeSqsOptions = {}): Promise<SqsServer> {
  const { host = '127.0.0.1', sqs = new Sqs(options) } = options;
  if (!isLoopback(host)) {
    throw new FanfoldError('BadOption', `Other machines reach ${host}`);
  }
  const listening = await listen(sqs.service, options);
  const close = async () => {
    sqs.close();
    await listening.close();
  };
  return { ...listening, sqs, close, [Symbol.asyncDispose]: close };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
