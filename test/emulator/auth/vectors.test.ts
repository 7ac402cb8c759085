import { expect, it } from 'vitest';
import { Verifier } from '../../../src/emulator/auth/index.ts';
import { normalPath, type ServiceRequest } from '../../../src/emulator/transport/index.ts';
import { CREDENTIALS, verdict } from './signed.ts';

const AT = Date.UTC(2015, 7, 30, 12, 36);
const verifier = new Verifier({
  credentials: [CREDENTIALS],
  region: 'us-east-1',
  service: 'service',
});

interface Vector extends Partial<ServiceRequest> {
  signature: string;
}

// From AWS's published test suite, aws-sig-v4-test-suite.
const VECTORS: Record<string, Vector> = {
  'get-vanilla': {
    signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  },
  'post-vanilla': {
    method: 'POST',
    signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  },
  'get-vanilla-query-order-key-case': {
    query: new URLSearchParams('Param2=value2&Param1=value1'),
    signature: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  },
  'get-vanilla-utf8-query': {
    query: new URLSearchParams('ሴ=bar'),
    signature: '2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04',
  },
  'get-utf8': {
    path: '/ሴ',
    signature: '8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85',
  },
  'get-space': {
    path: '/example space/',
    signature: '652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741',
  },
  'get-slashes': {
    path: '//example//',
    signature: '9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84',
  },
  'get-relative-relative': {
    path: '/example1/example2/../..',
    signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  },
  'get-unreserved': {
    path: '/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
    signature: '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f',
  },
  'get-header-value-trim': {
    headers: { 'my-header1': ' value1', 'my-header2': ' "a   b   c"' },
    signature: 'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
  },
  'post-x-www-form-urlencoded': {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'Param1=value1',
    signature: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  },
};

function requestOf({ signature, path = '/', ...parts }: Vector): ServiceRequest {
  const headers: Record<string, string> = {
    host: 'example.amazonaws.com',
    'x-amz-date': '20150830T123600Z',
    ...parts.headers,
  };
  const names = Object.keys(headers).sort().join(';');
  headers.authorization = `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${names}, Signature=${signature}`;
  return {
    method: 'GET',
    path: normalPath(path),
    query: new URLSearchParams(),
    body: '',
    signal: new AbortController().signal,
    ...parts,
    headers,
  };
}

it.each(Object.entries(VECTORS))('%s', (_, vector) => {
  expect(verdict(requestOf(vector), AT, verifier)).toBe('ok');
});
