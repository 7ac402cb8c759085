import type { Credentials } from '../emulator/auth/index.ts';
import { FanfoldError } from '../errors.ts';

/** Address and credentials of an SQS or a Lambda on a port. */
export interface Connection {
  /** Origin of the service, such as `https://192.168.1.7:9324`. */
  endpoint: string;
  /** The server's region, which is part of each signature. */
  region: string;
  /**
   * Key pair that signs requests; `none` if the server doesn't require signatures.
   * @default what the SDK finds, in the environment first
   */
  credentials?: Credentials | 'none' | undefined;
  /**
   * SHA-256 of the only certificate to accept from the server, in hex.
   * @default any certificate of a trusted authority
   */
  fingerprint?: string | undefined;
}

/** A stack on AWS. SDK clients find its region and credentials as usual. */
export interface Deployed {
  stack: string;
}

/** Address of a server or a stack, as plain data that can be sent to other processes. */
export type Endpoint = Connection | Deployed;

/** Connection to a server including its secret, which only its clients may know. */
export type Join = Connection & { credentials?: Credentials | undefined };

/** Region of a server for which none is set. */
export const DEFAULT_REGION = 'us-east-1';

/** SDK clients accept any host name label as a region. */
const REGION = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/** Region from the environment, as SDK clients read it; the default if they would reject it. */
export function regionOfEnvironment({ AWS_REGION, AWS_DEFAULT_REGION }: NodeJS.ProcessEnv): string {
  const named = AWS_REGION || AWS_DEFAULT_REGION || DEFAULT_REGION;
  return REGION.test(named) ? named : DEFAULT_REGION;
}

/** Formats a join: `https://KEY:SECRET@192.168.1.7:9324/?region=us-east-1#FINGERPRINT`. */
export function joinText({ endpoint, region, credentials, fingerprint }: Join): string {
  const url = new URL(endpoint);
  url.searchParams.set('region', region);
  if (credentials !== undefined) {
    url.username = encodeURIComponent(credentials.accessKeyId);
    url.password = encodeURIComponent(credentials.secretAccessKey);
  }
  if (fingerprint !== undefined) url.hash = fingerprint;
  return url.href;
}

/**
 * @param source name of the text's origin, for the error message
 * @throws FanfoldError `BadOption`; its message does not show the text, which holds a secret
 */
export function readJoin(text: string, source: string): Join {
  const trimmed = text.trim();
  const url = URL.canParse(trimmed) ? new URL(trimmed) : undefined;
  const fingerprint = url?.hash.slice(1).toLowerCase() ?? '';
  const isWhole =
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    (url.username === '') === (url.password === '') &&
    /^([0-9a-f]{64})?$/.test(fingerprint);
  if (!isWhole) {
    throw new FanfoldError(
      'BadOption',
      `${source} must be the whole line that \`fanfold serve\` prints, like https://KEY:SECRET@HOST:PORT/?region=REGION#FINGERPRINT.`,
    );
  }
  return {
    endpoint: url.origin,
    region: url.searchParams.get('region') ?? DEFAULT_REGION,
    credentials:
      url.username === ''
        ? undefined
        : {
            accessKeyId: decodeURIComponent(url.username),
            secretAccessKey: decodeURIComponent(url.password),
          },
    fingerprint: fingerprint || undefined,
  };
}
