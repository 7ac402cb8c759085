import type { Credentials } from '../emulator/auth/index.ts';
import { FanfoldError } from '../errors.ts';

/** How an SQS or a Lambda on a port is reached. */
export interface Connection {
  /** Such as `https://192.168.1.7:9324`. */
  endpoint: string;
  /** Part of what is signed: the server's. */
  region: string;
  /**
   * What requests are signed with; `none`: they are not, since nobody asks for it.
   * @default what the SDK finds, in the environment first
   */
  credentials?: Credentials | 'none' | undefined;
  /**
   * SHA-256 of the one certificate that the server may show, in hex.
   * @default any that an authority vouches for
   */
  fingerprint?: string | undefined;
}

/** A stack on AWS, whose region and credentials SDK clients find as they do. */
export interface Deployed {
  stack: string;
}

/** Where chunks are taken from: as data, for processes that are told of it. */
export type Endpoint = Connection | Deployed;

/** What a signed client needs to know of a server, and no other may. */
export type Join = Connection & { credentials?: Credentials | undefined };

/** Region of a server that was not told one. */
export const DEFAULT_REGION = 'us-east-1';

/** Any label of a host's name will do for SDK clients. */
const REGION = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/** The region that the environment names, as SDK clients read it, unless they would refuse it. */
export function regionOfEnvironment({ AWS_REGION, AWS_DEFAULT_REGION }: NodeJS.ProcessEnv): string {
  const named = AWS_REGION || AWS_DEFAULT_REGION || DEFAULT_REGION;
  return REGION.test(named) ? named : DEFAULT_REGION;
}

/** A join as one text: `https://KEY:SECRET@192.168.1.7:9324/?region=us-east-1#FINGERPRINT`. */
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
 * @param source what the text is, for a sentence about it
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
      `${source} is not what \`fanfold serve\` prints, or not all of it: https://KEY:SECRET@HOST:PORT/?region=REGION#FINGERPRINT was expected.`,
    );
  }
  return {
    endpoint: url.origin,
    region: url.searchParams.get('region') ?? DEFAULT_REGION,
    ...(url.username === ''
      ? {}
      : {
          credentials: {
            accessKeyId: decodeURIComponent(url.username),
            secretAccessKey: decodeURIComponent(url.password),
          },
        }),
    ...(fingerprint === '' ? {} : { fingerprint }),
  };
}
