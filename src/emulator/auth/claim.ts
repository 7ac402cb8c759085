import type { ServiceRequest } from '../transport/index.ts';
import { SignatureError } from './errors.ts';
import { onceInARow } from './once-in-a-row.ts';

/** A request's own statements about its signature, none of which is verified yet. */
export interface Claim {
  algorithm: string;
  /** `keyid/date/region/service/aws4_request` */
  credential: string;
  /** Names joined with semicolons. */
  signedHeaders: string;
  signature: string;
  date: string;
  /** Lifetime of a presigned request, in seconds as text. */
  expires: string | undefined;
  /** Whether it was in the query string, where the signature itself can't be signed. */
  presigned: boolean;
}

export function readClaim(request: ServiceRequest): Claim {
  const { headers, query } = request;
  const header = headers.authorization;
  const presigned = query.size > 0 && query.has('X-Amz-Algorithm');
  if (presigned && header) {
    throw new SignatureError(
      'mismatch',
      "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    );
  }
  if (presigned) return fromQuery(query);
  if (header) return fromHeader(header, headers);
  throw new SignatureError(
    'missing',
    `Access to the resource http://${headers.host ?? 'localhost'}${request.path} is denied.`,
  );
}

type UsualStart = Pick<Claim, 'algorithm' | 'credential' | 'signedHeaders'>;

/** The header as the SDKs write it, up to the signature: this part is the same all day. */
const USUAL = /^(AWS4-[^\s,]+) Credential=([^\s,]+), SignedHeaders=([^\s,]+), Signature=$/;

const readUsualStart = onceInARow((start): UsualStart | undefined => {
  const match = USUAL.exec(start);
  if (match === null) return undefined;
  const [, algorithm = '', credential = '', signedHeaders = ''] = match;
  return { algorithm, credential, signedHeaders };
});

function fromUsualHeader(header: string, date: string): Claim | undefined {
  const end = header.lastIndexOf('=') + 1;
  const start = readUsualStart(header.slice(0, end));
  const signature = header.slice(end);
  if (start === undefined || signature === '' || /[\s,]/.test(signature)) return undefined;
  const { algorithm, credential, signedHeaders } = start;
  const expires = undefined;
  return { algorithm, credential, signedHeaders, signature, date, expires, presigned: false };
}

function fromHeader(header: string, headers: ServiceRequest['headers']): Claim {
  const usualDate = headers['x-amz-date'];
  const usual = usualDate ? fromUsualHeader(header, usualDate) : undefined;
  if (usual) return usual;
  const [algorithm = '', ...pairs] = header.trim().split(/[\s,]+/);
  // For another scheme, such as Basic, AWS only reports what is missing.
  const parameters = algorithm.startsWith('AWS4-') ? readPairs(pairs, header) : new Map();
  const credential = parameters.get('Credential') ?? '';
  const signature = parameters.get('Signature') ?? '';
  const signedHeaders = parameters.get('SignedHeaders') ?? '';
  const date = headers['x-amz-date'] || headers.date || '';
  if (credential && signature && signedHeaders && date) {
    const expires = undefined;
    return { algorithm, credential, signedHeaders, signature, date, expires, presigned: false };
  }
  const lacks = [
    !credential && "Authorization header requires 'Credential' parameter.",
    !signature && "Authorization header requires 'Signature' parameter.",
    !signedHeaders && "Authorization header requires 'SignedHeaders' parameter.",
    !date && "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
    `Authorization=${header}`,
  ];
  throw new SignatureError('malformed', lacks.filter(Boolean).join(' '));
}

function readPairs(pairs: string[], header: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at >= 0) parameters.set(pair.slice(0, at), pair.slice(at + 1));
    else if (pair !== '') {
      throw new SignatureError(
        'malformed',
        `'${pair}' not a valid key=value pair (missing equal-sign) in Authorization header: '${header}'.`,
      );
    }
  }
  return parameters;
}

function fromQuery(query: URLSearchParams): Claim {
  const lacks = [
    'X-Amz-Algorithm',
    'X-Amz-Credential',
    'X-Amz-Signature',
    'X-Amz-SignedHeaders',
    'X-Amz-Date',
  ].filter((name) => !query.get(name));
  if (lacks.length > 0) {
    const sentences = lacks.map((name) => `AWS query-string parameters must include '${name}'. `);
    throw new SignatureError(
      'malformed',
      `${sentences.join('')}Re-examine the query-string parameters.`,
    );
  }
  return {
    algorithm: query.get('X-Amz-Algorithm') ?? '',
    credential: query.get('X-Amz-Credential') ?? '',
    signedHeaders: query.get('X-Amz-SignedHeaders') ?? '',
    signature: query.get('X-Amz-Signature') ?? '',
    date: query.get('X-Amz-Date') ?? '',
    expires: query.get('X-Amz-Expires') ?? undefined,
    presigned: true,
  };
}
