import { expect, it } from 'vitest';
import { outputText } from '../../../src/pipeline/working/output-text.ts';

it.each([
  ['Infinity at $', Number.POSITIVE_INFINITY],
  ['NaN at $.score', { name: 'null', score: Number.NaN }],
  ['-Infinity at $.rows[1]["a b"]', { rows: [1, { 'a b': Number.NEGATIVE_INFINITY }] }],
  ['NaN at $.first', { first: Number.NaN, second: Number.NaN }],
  ['a Map at $.seen', { seen: new Map([['a', 1]]) }],
  ['a Set at $[0]', [new Set(['a'])]],
  ['a RegExp at $', /a/],
  ['a Promise at $.later', { later: Promise.resolve(1) }],
  ['an invalid Date at $.at', { at: new Date(Number.NaN) }],
])('an output with %s fails', (what, output) => {
  expect(outputText(output)).toEqual({
    code: 'OutputNotJson',
    message: `The output has ${what}, which JSON cannot hold.`,
  });
});

it('an output that JSON can hold is accepted', () => {
  class Own extends Map<string, null> {
    toJSON = () => [...this];
  }
  const deep = JSON.parse(`${'['.repeat(2_000)}null, {}${']'.repeat(2_000)}`);
  const texts: [unknown, string][] = [
    [{ a: null, b: {}, c: [undefined, null], d: 'null {}' }, ''],
    [{ at: new Date(0), none: null, bytes: Buffer.from('a') }, ''],
    [new Own([['a', null]]), '[["a",null]]'],
    [{ method() {}, x: {} }, '{"x":{}}'],
    [undefined, 'null'],
    [deep, ''],
  ];
  for (const [output, text] of texts) {
    expect(outputText(output)).toBe(text || JSON.stringify(output));
  }
});
