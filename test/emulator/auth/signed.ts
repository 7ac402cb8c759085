import { SendMessageCommand, SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { HttpRequest } from '@smithy/core/protocols';
import { SignatureError, type SignatureFault, Verifier } from '../../../src/emulator/auth/index.ts';
import {
  inProcess,
  type Service,
  type ServiceRequest,
} from '../../../src/emulator/transport/index.ts';

export const CREDENTIALS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};

export const verifier = new Verifier({
  credentials: [CREDENTIALS],
  region: 'us-east-1',
  service: 'sqs',
});

/** The result of verification: `ok`, or the fault. Any other error fails the test. */
export function verdict(
  request: ServiceRequest,
  now: number,
  by: Verifier = verifier,
): 'ok' | SignatureFault {
  return refusal(request, now, by)?.fault ?? 'ok';
}

export function refusal(
  request: ServiceRequest,
  now: number,
  by: Verifier = verifier,
): SignatureError | undefined {
  try {
    by.verify(request, now);
    return undefined;
  } catch (error) {
    if (error instanceof SignatureError) return error;
    throw error;
  }
}

/** A service that records the requests it receives. */
export function recorder(): { requests: ServiceRequest[]; service: Service } {
  const requests: ServiceRequest[] = [];
  const service: Service = (request) => {
    requests.push(request);
    return { status: 200, headers: {}, body: '' };
  };
  return { requests, service };
}

/** A SendMessage as a real client sends it. */
export async function sendMessage(
  client: SQSClient,
  MessageBody = 'grüße & more + 1',
): Promise<void> {
  const QueueUrl = 'http://127.0.0.1:9324/000000000000/q';
  // The recorder's response has no MD5 and fits no protocol: only the request matters.
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody })).catch(() => {});
}

export async function captured(config: SQSClientConfig = {}): Promise<ServiceRequest> {
  const { requests, service } = recorder();
  const client = new SQSClient({
    region: 'us-east-1',
    endpoint: 'http://127.0.0.1:9324',
    credentials: CREDENTIALS,
    maxAttempts: 1,
    requestHandler: inProcess(service),
    ...config,
  });
  await sendMessage(client);
  const [request] = requests;
  if (request === undefined) throw new Error('The client sent nothing.');
  return request;
}

interface Draft {
  method?: string;
  path?: string;
  query?: Record<string, string | string[]>;
  headers?: Record<string, string>;
  body?: string;
}

interface SigningOptions {
  signingDate: Date;
  signingService?: string;
  expiresIn?: number;
}

/** The part of the SDK's SignatureV4 that is used here; the client's type has only `sign`. */
interface SdkSigner {
  sign(request: HttpRequest, options: SigningOptions): Promise<HttpRequest>;
  presign(request: HttpRequest, options: SigningOptions): Promise<HttpRequest>;
}

async function sdkSigner(credentials: SQSClientConfig['credentials']): Promise<SdkSigner> {
  const client = new SQSClient({ region: 'us-east-1', credentials: credentials ?? CREDENTIALS });
  const signer: unknown = await client.config.signer();
  if (isSigner(signer)) return signer;
  throw new Error('The SDK signs with something else than it did.');
}

function isSigner(signer: unknown): signer is SdkSigner {
  return typeof signer === 'object' && signer !== null && 'sign' in signer && 'presign' in signer;
}

/** Uses the SDK's signer for requests that none of its SQS clients would send. */
export async function signed(
  draft: Draft,
  options: SigningOptions,
  credentials?: SQSClientConfig['credentials'],
): Promise<ServiceRequest> {
  const signer = await sdkSigner(credentials);
  return received(await signer.sign(httpRequest(draft), options));
}

export async function presigned(
  draft: Draft,
  options: SigningOptions,
  credentials?: SQSClientConfig['credentials'],
): Promise<ServiceRequest> {
  const signer = await sdkSigner(credentials);
  return received(await signer.presign(httpRequest(draft), options));
}

function httpRequest({ method = 'GET', path = '/', query = {}, headers = {}, body }: Draft) {
  return new HttpRequest({
    protocol: 'http:',
    hostname: '127.0.0.1',
    port: 9324,
    method,
    path,
    query,
    headers: { host: '127.0.0.1:9324', ...headers },
    body,
  });
}

/** Goes through the handler, so that the result is the request that a service receives. */
async function received(request: HttpRequest): Promise<ServiceRequest> {
  const { requests, service } = recorder();
  const { method, path, headers, body } = request;
  const query: Record<string, string | string[] | null> = { ...request.query };
  await inProcess(service).handle({ method, path, query, headers, body });
  const [got] = requests;
  if (got === undefined) throw new Error('The handler passed nothing on.');
  return got;
}
