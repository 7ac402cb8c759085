import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ServiceRequest } from '../../../src/emulator/transport/index.ts';
import { CREDENTIALS, presigned, refusal, signed, verdict } from './signed.ts';

const AT = Date.UTC(2026, 1, 28, 12, 0, 0);
const signingDate = new Date(AT);
const DATE = '20260228T120000Z';
const SCOPE = '20260228/us-east-1/sqs/aws4_request';

let request: ServiceRequest;
let authorization: string;
let presignedRequest: ServiceRequest;
beforeAll(async () => {
  const draft = { method: 'POST', headers: { 'x-amz-target': 'AmazonSQS.ListQueues' }, body: '{}' };
  request = await signed(draft, { signingDate });
  authorization = request.headers.authorization ?? '';
  presignedRequest = await presigned({ query: { Action: 'ListQueues' } }, { signingDate });
});

/** The request with other headers; `undefined` removes one. */
function withHeaders(changed: Record<string, string | undefined>): ServiceRequest {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...request.headers, ...changed })) {
    if (value !== undefined) headers[name] = value;
  }
  return { ...request, headers };
}

const withAuthorization = (text: string) => withHeaders({ authorization: text });

function withQuery(changed: Record<string, string | undefined>): ServiceRequest {
  const query = new URLSearchParams(presignedRequest.query);
  for (const [name, value] of Object.entries(changed)) {
    if (value === undefined) query.delete(name);
    else query.set(name, value);
  }
  return { ...presignedRequest, query };
}

/** Signs a request again, using the text to sign in its refusal. */
function resigned(asked: ServiceRequest): ServiceRequest {
  const [, signable = ''] =
    /String-to-Sign .*\n'([^']*)'/.exec(refusal(asked, AT)?.message ?? '') ?? [];
  const hmac = (key: string | Buffer, part: string) => createHmac('sha256', key).update(part);
  let key: string | Buffer = `AWS4${CREDENTIALS.secretAccessKey}`;
  for (const part of SCOPE.split('/')) key = hmac(key, part).digest();
  const signature = hmac(key, signable).digest('hex');
  const query = new URLSearchParams(asked.query);
  if (query.has('X-Amz-Signature')) query.set('X-Amz-Signature', signature);
  const { authorization: old = '' } = asked.headers;
  const authorization = old.replace(/Signature=.*/, `Signature=${signature}`);
  return { ...asked, query, headers: { ...asked.headers, ...(old && { authorization }) } };
}

const told = (asked: ServiceRequest, now = AT) => {
  const { fault, message } = refusal(asked, now) ?? {};
  return [fault, message];
};

describe('missing', () => {
  it.each([undefined, ''])('without a signature: %o', (none) => {
    expect(told(withAuthorization(none ?? ''))).toEqual([
      'missing',
      'Access to the resource http://127.0.0.1:9324/ is denied.',
    ]);
    expect(verdict(withHeaders({ authorization: none }), AT)).toBe('missing');
    expect(verdict(withQuery({ 'X-Amz-Algorithm': undefined }), AT)).toBe('missing');
  });
});

describe('malformed', () => {
  it('names everything that the Authorization header lacks', () => {
    expect(told(withAuthorization('AWS4-HMAC-SHA256 Credential=AKID'))).toEqual([
      'malformed',
      "Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256 Credential=AKID",
    ]);
    const undated = { 'x-amz-date': undefined, authorization: 'Basic dXNlcjpwYXNz' };
    expect(told(withHeaders(undated))).toEqual([
      'malformed',
      "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=Basic dXNlcjpwYXNz",
    ]);
  });

  it('names the part that is not a pair', () => {
    const text = `AWS4-HMAC-SHA256 Credential= AKID/${SCOPE}, SignedHeaders=host, Signature=x`;
    expect(told(withAuthorization(text))).toEqual([
      'malformed',
      `'AKID/${SCOPE}' not a valid key=value pair (missing equal-sign) in Authorization header: '${text}'.`,
    ]);
  });

  it.each(['AWS4-HMAC-SHA512', 'AWS4-ECDSA-P256-SHA256'])('algorithm %s', (algorithm) => {
    const text = authorization.replace('AWS4-HMAC-SHA256', algorithm);
    const message = `Unsupported AWS 'algorithm': '${algorithm}' (only AWS4-HMAC-SHA256 for now).`;
    expect(told(withAuthorization(text))).toEqual(['malformed', message]);
    expect(told(withQuery({ 'X-Amz-Algorithm': algorithm }))).toEqual(['malformed', message]);
  });

  it.each(['AKIDEXAMPLE', `${SCOPE}`, `AKIDEXAMPLE/x/${SCOPE}`])('credential %s', (credential) => {
    expect(
      told(withAuthorization(authorization.replace(`AKIDEXAMPLE/${SCOPE}`, credential))),
    ).toEqual([
      'malformed',
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential}'`,
    ]);
  });

  it.each([
    '2026-02-28T12:00:00Z',
    '20260230T120000Z',
    '20260200T120000Z',
    '20261328T120000Z',
    '20260228T240000Z',
    '20260228T126000Z',
    '20260228T120060Z',
    '20260228T120000',
    '1772280000',
    'Invalid Date',
    'Sat, 28 Feb 2026 12:00:00 +0100',
    'Sun, 28 Feb 2026 12:00:00 GMT',
  ])('date %s', (date) => {
    const message = `Date must be in ISO-8601 'basic format'. Got '${date}'. See http://en.wikipedia.org/wiki/ISO_8601`;
    expect(told(withHeaders({ 'x-amz-date': date }))).toEqual(['malformed', message]);
    expect(told(withHeaders({ 'x-amz-date': undefined, date }))).toEqual(['malformed', message]);
    expect(told(withQuery({ 'X-Amz-Date': date }))).toEqual(['malformed', message]);
  });

  it('names everything that a presigned request lacks', () => {
    const lacking = { 'X-Amz-Credential': '', 'X-Amz-Date': undefined };
    expect(told(withQuery(lacking))).toEqual([
      'malformed',
      "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters.",
    ]);
    for (const name of ['X-Amz-Signature', 'X-Amz-SignedHeaders']) {
      expect(verdict(withQuery({ [name]: undefined }), AT)).toBe('malformed');
    }
  });

  it.each(['', '0', '-1', '1.5', '1e3', 'soon', '604801', '9'.repeat(400)])(
    'life of %s',
    (life) => {
      expect(told(withQuery({ 'X-Amz-Expires': life }))).toEqual([
        'malformed',
        `X-Amz-Expires must be a whole number of seconds from 1 to 604800; got '${life}'.`,
      ]);
    },
  );
});

describe('unknownKey', () => {
  it.each(['AKIDOTHER', 'akidexample', '', '__proto__', 'constructor'])('%s', (keyId) => {
    const message = 'The security token included in the request is invalid.';
    const other = authorization.replace('AKIDEXAMPLE', keyId);
    expect(told(withAuthorization(other))).toEqual(['unknownKey', message]);
    const credential = `${keyId}/${SCOPE}`;
    expect(told(withQuery({ 'X-Amz-Credential': credential }))).toEqual(['unknownKey', message]);
  });
});

describe('mismatch', () => {
  it('shows the text that should have been signed', () => {
    const other = authorization.replace(/Signature=.*/, `Signature=${'0'.repeat(64)}`);
    const [fault, message] = told(withAuthorization(other));
    expect(fault).toBe('mismatch');
    expect(message).toMatch(
      /^The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n/,
    );
    expect(message).toContain(
      "\n\nThe Canonical String for this request should have been\n'POST\n/\n\nhost:127.0.0.1:9324\n",
    );
    expect(message).toContain(
      `\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n${DATE}\n${SCOPE}\n`,
    );
  });

  it.each(['0', '', 'é'.repeat(32), '0'.repeat(65)])('a signature like %s', (signature) => {
    const other = authorization.replace(/Signature=.*/, `Signature=${signature}`);
    expect(verdict(withAuthorization(other), AT)).toBe(signature === '' ? 'malformed' : 'mismatch');
    expect(verdict(withAuthorization(authorization.toUpperCase()), AT)).toBe('malformed');
  });

  it('names everything that is wrong with the scope', () => {
    const other = authorization.replace(SCOPE, '20260227/eu-west-1/sns/aws5_request');
    expect(told(withAuthorization(other))).toEqual([
      'mismatch',
      `Credential should be scoped to a valid region, not 'eu-west-1'. Credential should be scoped to correct service: 'sqs'. Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260227' != '20260228', from '${DATE}'.`,
    ]);
  });

  it('requires the host to be signed', () => {
    expect(told(withAuthorization(authorization.replace('host;', '')))).toEqual([
      'mismatch',
      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    ]);
    expect(verdict(withQuery({ 'X-Amz-SignedHeaders': 'x-amz-date' }), AT)).toBe('mismatch');
  });

  it('requires all of AWS’s own headers to be signed, and no others', () => {
    const message = "'x-amz-security-token' must be a 'SignedHeader' in the AWS Authorization.";
    const extra = { 'x-amz-security-token': 'slipped in' };
    expect(told(withHeaders(extra))).toEqual(['mismatch', message]);
    const headers = { ...presignedRequest.headers, ...extra };
    expect(told({ ...presignedRequest, headers })).toEqual(['mismatch', message]);
    const ofProxy = { via: '1.1 proxy', 'user-agent': 'x', 'x-amzn-trace-id': 'Root=1' };
    expect(verdict(withHeaders(ofProxy), AT)).toBe('ok');
  });

  it('requires every signed header to be present', () => {
    expect(verdict(withHeaders({ 'x-amz-target': undefined }), AT)).toBe('mismatch');
    const other = authorization.replace('=host;', '=constructor;host;');
    expect(verdict(withAuthorization(other), AT)).toBe('mismatch');
  });

  it.each(['HOST;', 'host;host;', 'zebra;host;'])('a list that begins %s', (names) => {
    const other = authorization.replace('=host;', `=${names}`);
    expect(verdict(withHeaders({ zebra: 'x', authorization: other }), AT)).toBe('mismatch');
  });

  it('allows one signature only', () => {
    expect(told({ ...presignedRequest, headers: request.headers })).toEqual([
      'mismatch',
      "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    ]);
  });

  it.each(['UNSIGNED-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', '0'.repeat(64)])(
    'always counts the body, whatever is declared: %s',
    async (declared) => {
      const headers = { 'x-amz-content-sha256': declared };
      const draft = { method: 'POST', headers, body: '{}' };
      expect(verdict(await signed(draft, { signingDate }), AT)).toBe('mismatch');
      expect(verdict(await presigned(draft, { signingDate }), AT)).toBe('mismatch');
    },
  );

  it.each(['header', 'query'])('a clock that is off by over 15 minutes, in the %s', (form) => {
    // A presigned request without X-Amz-Expires is valid as long as any other.
    const lifeless = withQuery({ 'X-Amz-Expires': undefined });
    const asked = form === 'header' ? request : resigned(lifeless);
    const minute = 60_000;
    for (const off of [0, 14 * minute + 59_000, 15 * minute, 15 * minute + 999]) {
      expect(verdict(asked, AT + off)).toBe('ok');
    }
    for (const off of [14 * minute + 59_000, 15 * minute]) {
      expect(verdict(asked, AT - off)).toBe('ok');
    }
    expect(told(asked, AT + 15 * minute + 1000)).toEqual([
      'mismatch',
      `Signature expired: ${DATE} is now earlier than 20260228T120001Z (20260228T121501Z - 15 min.)`,
    ]);
    expect(told(asked, AT - 15 * minute - 1000)).toEqual([
      'mismatch',
      `Signature not yet current: ${DATE} is still later than 20260228T115959Z (20260228T114459Z + 15 min.)`,
    ]);
  });

  it('says how long a presigned request was valid', async () => {
    const short = await presigned({}, { signingDate, expiresIn: 90 });
    expect(told(short, AT + 91_000)).toEqual([
      'mismatch',
      `Signature expired: ${DATE} is now earlier than 20260228T120001Z (20260228T120131Z - 90 s.)`,
    ]);
  });
});

describe('valid variants', () => {
  it.each([
    ['no spaces', (text: string) => text.replaceAll(', ', ',')],
    ['no commas', (text: string) => text.replaceAll(', ', ' ')],
    ['many spaces', (text: string) => `  ${text.replaceAll(' ', '   ')}  `],
    ['tabs, and a comma at the end', (text: string) => `${text.replaceAll(', ', '\t,\t')} ,`],
    [
      'another order',
      (text: string) => text.replace(/(Credential=.*), (SignedHeaders=.*), (Sig.*)/, '$3, $1, $2'),
    ],
  ])('an Authorization header with %s', (_, change) => {
    const changed = change(authorization);
    expect(changed).not.toBe(authorization);
    expect(verdict(withAuthorization(changed), AT)).toBe('ok');
  });

  it('spaces in and around a signed header', async () => {
    const headers = { 'x-amz-meta': 'a b "c d"' };
    const asked = await signed({ headers }, { signingDate });
    const spaced = { ...asked.headers, 'x-amz-meta': '  a \t b   "c  d" ' };
    expect(verdict({ ...asked, headers: spaced }, AT)).toBe('ok');
    // Not a space for HTTP or the signers.
    const other = { ...asked.headers, 'x-amz-meta': 'a b "c d"\u00a0' };
    expect(verdict({ ...asked, headers: other }, AT)).toBe('mismatch');
  });

  it('the date, in the Date header and in HTTP’s form', () => {
    const names = 'SignedHeaders=host;x-amz-content-sha256;x-amz-target';
    const undated = authorization.replace(/SignedHeaders=[^,]*/, names);
    for (const date of [DATE, 'Sat, 28 Feb 2026 12:00:00 GMT']) {
      const changed = { 'x-amz-date': undefined, date, authorization: undated };
      expect(verdict(withHeaders(changed), AT)).toBe('mismatch');
      expect(verdict(resigned(withHeaders(changed)), AT)).toBe('ok');
    }
    // x-amz-date takes precedence.
    expect(verdict(withHeaders({ date: 'Thu, 01 Jan 1970 00:00:00 GMT' }), AT)).toBe('ok');
  });
});
