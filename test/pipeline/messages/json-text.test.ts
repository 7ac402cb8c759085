import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isJson } from '../../../src/pipeline/messages/json-text.ts';

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Tokens of JSON, valid and broken, so that random sequences are often nearly JSON. */
const PIECES = [
  ...'{}[]:,"\\ \t\r\n-+.0123456789eE',
  ...[
    'true',
    'false',
    'null',
    'tru',
    'Infinity',
    'NaN',
    '"a"',
    '"b":',
    '""',
    '{}',
    '[]',
    '[1,',
    '{"c":',
  ],
  ...[
    '\\u0041',
    '\\u00g0',
    '\\n',
    '\\x',
    '"\u0001"',
    '\u2028',
    '"\ud800"',
    '\u00a0',
    '\ufeff',
    '1e5',
    '01',
    '-',
    '.5',
    '1.',
  ],
];

describe('isJson', () => {
  it('accepts what JSON.parse accepts', () => {
    fc.assert(
      fc.property(fc.json({ depthSize: 'medium' }), fc.nat(3), (text, indent) => {
        expect(isJson(text)).toBe(true);
        expect(isJson(JSON.stringify(JSON.parse(text), undefined, indent))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses what JSON.parse refuses in texts that are nearly JSON', () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }), (pieces) => {
        const text = pieces.join('');
        taken += parses(text) ? 1 : 0;
        expect([text, isJson(text)]).toEqual([text, parses(text)]);
      }),
      { numRuns: 20_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  it('agrees with JSON.parse on JSON with one changed character', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.constantFrom(...PIECES), (json, place, piece) => {
        const at = place % (json.length + 1);
        for (const text of [json.slice(0, at) + piece + json.slice(at + 1), json.slice(0, at)]) {
          expect([text, isJson(text)]).toEqual([text, parses(text)]);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  it('reads only the part that it is given', () => {
    expect(isJson('x[1,2]y', 1, 6)).toBe(true);
    expect(isJson('[1]2', 0, 4)).toBe(false);
    expect(isJson('"abc"', 0, 4)).toBe(false);
    expect(isJson('true', 0, 3)).toBe(false);
    expect(isJson('12e5', 0, 3)).toBe(false);
    expect(isJson('"\\u00411"', 0, 6)).toBe(false);
    expect(isJson('', 0, 0)).toBe(false);
  });

  it('accepts any depth', () => {
    const depth = 1_000_000;
    expect(isJson('['.repeat(depth) + ']'.repeat(depth))).toBe(true);
    expect(isJson('['.repeat(depth) + ']'.repeat(depth - 1))).toBe(false);
  });
});
