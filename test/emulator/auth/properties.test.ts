import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import type { ServiceRequest } from '../../../src/emulator/transport/index.ts';
import { presigned, signed, verdict } from './signed.ts';

const AT = Date.UTC(2026, 1, 28, 12, 0, 0);
const signingDate = new Date(AT);

const DRAFT = {
  method: 'POST',
  path: '/000000000000/a%20queue',
  query: { Action: 'SendMessage', 'Tag.1': 'a b+c', list: ['2', '1'] },
  headers: { 'content-type': 'text/plain', 'x-amz-target': 'AmazonSQS.SendMessage' },
  body: '{"MessageBody":"grüße","QueueUrl":"http://127.0.0.1:9324/000000000000/q"}',
};

let bySignedHeader: ServiceRequest;
let byQuery: ServiceRequest;
beforeAll(async () => {
  bySignedHeader = await signed(DRAFT, { signingDate });
  // In a presigned request AWS's own headers would go to the query string.
  const { 'content-type': type } = DRAFT.headers;
  byQuery = await presigned({ ...DRAFT, headers: { 'content-type': type } }, { signingDate });
  expect([bySignedHeader, byQuery].map((request) => verdict(request, AT))).toEqual(['ok', 'ok']);
});

const position = fc.nat({ max: 10_000 });
/** Characters that no step of the canonical form joins with others. */
const character = fc.constantFrom(
  ...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789',
);

/** The text with one character replaced; `undefined` if that would change nothing. */
function exchanged(text: string, at: number, by: string): string | undefined {
  const place = at % text.length;
  const changed = text.slice(0, place) + by + text.slice(place + 1);
  return changed === text ? undefined : changed;
}

function changedHeader(request: ServiceRequest, which: number, at: number, by: string) {
  const names = Object.keys(request.headers);
  const name = names[which % names.length] ?? '';
  const value = exchanged(request.headers[name] ?? '', at, by);
  return value && { ...request, headers: { ...request.headers, [name]: value } };
}

function changedQuery(request: ServiceRequest, at: number, by: string) {
  const pairs = [...request.query];
  const [name, value] = pairs[at % pairs.length] ?? ['', ''];
  const inName = exchanged(name, at, by);
  const inValue = exchanged(value, at, by);
  const others = pairs.filter((_, other) => other !== at % pairs.length);
  const changed: [string, string][] = [];
  if (inName) changed.push([inName, value]);
  if (inValue) changed.push([name, inValue]);
  return changed.map((pair) => ({ ...request, query: new URLSearchParams([...others, pair]) }));
}

function changedBody(request: ServiceRequest, at: number, bit: number) {
  const body = Buffer.from(request.body);
  const place = at % body.length;
  body[place] = (body[place] ?? 0) ^ (1 << bit);
  return { ...request, body };
}

it('changing any byte of a request breaks its signature', () => {
  fc.assert(
    fc.property(position, position, character, fc.nat({ max: 7 }), (which, at, by, bit) => {
      for (const request of [bySignedHeader, byQuery]) {
        const path = exchanged(request.path, at, by);
        const method = exchanged(request.method, at, by);
        const changed = [
          path && { ...request, path },
          method && { ...request, method },
          changedHeader(request, which, at, by),
          ...changedQuery(request, at, by),
          changedBody(request, at, bit),
        ];
        for (const forged of changed) {
          if (forged) expect(verdict(forged, AT)).not.toBe('ok');
        }
      }
    }),
    { numRuns: 2000 },
  );
});

it('adding or removing anything breaks the signature', () => {
  for (const request of [bySignedHeader, byQuery]) {
    const more = new URLSearchParams([...request.query, ['a', '']]);
    const body = Buffer.from(request.body);
    const forgeries = [
      { ...request, query: more },
      { ...request, path: `${request.path}/` },
      { ...request, body: body.subarray(1) },
      { ...request, body: Buffer.concat([body, Buffer.from('\0')]) },
      ...[...request.query.keys()].map((name) => {
        const query = new URLSearchParams(request.query);
        query.delete(name);
        return { ...request, query };
      }),
      ...Object.keys(request.headers).map((name) => {
        const { [name]: _, ...headers } = request.headers;
        return { ...request, headers };
      }),
    ];
    for (const forged of forgeries) expect(verdict(forged, AT)).not.toBe('ok');
  }
});

/** Parts of a signature, so that garbage reaches the later steps of verification. */
const piece = fc.oneof(
  fc.constantFrom(
    'AWS4-HMAC-SHA256',
    'Credential=AKIDEXAMPLE/20260228/us-east-1/sqs/aws4_request',
    'SignedHeaders=host',
    'SignedHeaders=host;x-amz-date',
    `Signature=${'0'.repeat(64)}`,
    ', ',
    ' ',
    '=',
    '20260228T120000Z',
    'AKIDEXAMPLE/20260228/us-east-1/sqs/aws4_request',
    'host;x-amz-date',
    '/..',
    '%',
    '\ud800',
  ),
  fc.string({ unit: 'binary' }),
);
const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
const headerName = fc.oneof(
  fc.constantFrom('host', 'authorization', 'x-amz-date', 'date', 'x-amz-content-sha256'),
  text,
);
const queryName = fc.oneof(
  fc.constantFrom(
    'X-Amz-Algorithm',
    'X-Amz-Credential',
    'X-Amz-Date',
    'X-Amz-Expires',
    'X-Amz-SignedHeaders',
    'X-Amz-Signature',
  ),
  text,
);

/** A header or a query in which each part is in its place, or replaced by garbage. */
const nearly = (right: string) => fc.oneof({ weight: 4, arbitrary: fc.constant(right) }, text);
const nearlyHeader = fc
  .tuple(
    nearly('AWS4-HMAC-SHA256 '),
    nearly('Credential=AKIDEXAMPLE/20260228/us-east-1/sqs/aws4_request, '),
    nearly('SignedHeaders=host;x-amz-date, '),
    nearly(`Signature=${'0'.repeat(64)}`),
  )
  .map((pieces) => pieces.join(''));
const nearlyHeaders = fc.record({
  host: text,
  'x-amz-date': nearly('20260228T120000Z'),
  authorization: nearlyHeader,
});
const nearlyQuery = fc
  .record({
    'X-Amz-Algorithm': nearly('AWS4-HMAC-SHA256'),
    'X-Amz-Credential': nearly('AKIDEXAMPLE/20260228/us-east-1/sqs/aws4_request'),
    'X-Amz-Date': nearly('20260228T120000Z'),
    'X-Amz-Expires': nearly('60'),
    'X-Amz-SignedHeaders': nearly('host'),
    'X-Amz-Signature': text,
  })
  .map((query) => Object.entries(query));

it('garbage is always refused with a known fault', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      text,
      text,
      fc.oneof(nearlyHeaders, fc.dictionary(headerName, text)),
      fc.oneof(fc.constant([]), nearlyQuery, fc.array(fc.tuple(queryName, text))),
      fc.oneof(text, fc.uint8Array()),
      (method, path, headers, pairs, body) => {
        const query = new URLSearchParams(pairs);
        const { signal } = new AbortController();
        const found = verdict({ method, path, query, headers, body, signal }, AT);
        expect(found).not.toBe('ok');
        seen.add(found);
      },
    ),
    { numRuns: 5000 },
  );
  expect([...seen]).toEqual(expect.arrayContaining(['malformed', 'mismatch', 'missing']));
});
