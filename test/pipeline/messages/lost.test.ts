import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { lostFromInput, lostFromOutput } from '../../../src/pipeline/messages/lost.ts';

class Hidden {
  #amount = 1;
  amount() {
    return this.#amount;
  }
}

class Row {
  id = 1;
  name = 'one';
  label() {
    return this.name;
  }
}

describe('lostFromInput', () => {
  // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested.
  const hole = [1, , 3];

  it.each<[what: string, value: unknown]>([
    ['NaN', Number.NaN],
    ['-Infinity', -Infinity],
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('one')],
    ['a bigint', 1n],
    ['a Map', new Map([[1, 2]])],
    ['a Set', new Set()],
    ['a Promise', Promise.resolve(1)],
    ['a RegExp', /one/],
    ['an invalid Date', new Date('never')],
    ['an Error', Object.assign(new Error('one'), { code: 'ONE' })],
    ['a Float64Array', new Float64Array(2)],
    ['an ArrayBuffer', new ArrayBuffer(2)],
    ['an instance of Hidden', new Hidden()],
  ])('finds %s, and where it is', (what, value) => {
    const found = { what: expect.stringContaining(what), remedy: expect.stringMatching(/./) };
    expect(lostFromInput(value)).toMatchObject({ ...found, path: '$' });
    expect(lostFromInput([0, value])).toMatchObject({ ...found, path: '$[1]' });
    const isMissing = value === undefined;
    const row = { rows: [{}, { 'the price': isMissing ? [value] : value }] };
    const path = `$.rows[1]["the price"]${isMissing ? '[0]' : ''}`;
    expect(lostFromInput(row)).toMatchObject({ ...found, path });
    expect(lostFromInput(new Array(200).fill(0).reduce((inner) => [inner], value))).toMatchObject({
      ...found,
      path: `$${'[0]'.repeat(200)}`,
    });
  });

  it('finds a hole in an array', () => {
    expect(lostFromInput({ list: hole })).toMatchObject({ what: 'undefined', path: '$.list[1]' });
  });

  it.each<[what: string, value: unknown]>([
    ['plain values', [null, true, 1.5, 'one', { a: { b: [] } }]],
    ['a property that is undefined', { a: undefined, b: 1 }],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
    ["an object of another realm's", runInNewContext('({ a: {}, b: [1] })')],
    ['a Date', { at: new Date(0) }],
    [
      'what says its JSON itself',
      [new URL('http://one/'), Buffer.from('one'), { toJSON: () => 1 }],
    ],
    ['an instance with properties of its own', new Row()],
    ['boxed values', [Object(1), Object('one')]],
    ['depth', new Array(200).fill(0).reduce((inner) => ({ inner }), 1)],
  ])('accepts %s', (_what, value) => {
    expect(lostFromInput(value)).toBeUndefined();
  });

  it('leaves a circle and a getter that throws to JSON.stringify', () => {
    const circle: unknown[] = [];
    circle.push(circle);
    expect(lostFromInput(circle)).toBeUndefined();
    const throwing = {
      get a(): number {
        throw new Error('no');
      },
    };
    expect(lostFromInput(throwing)).toBeUndefined();
  });
});

describe('lostFromOutput', () => {
  const lostFrom = (output: unknown) => lostFromOutput(output, JSON.stringify(output));

  it.each<[what: string, value: unknown]>([
    ['NaN', Number.NaN],
    ['a Map', new Map()],
    ['an Error', new Error('one')],
    ['an instance of Response', new Response('body')],
    ['an instance of Headers', new Headers({ a: 'b' })],
    ['an instance of Hidden', new Hidden()],
    ['an ArrayBuffer', new ArrayBuffer(2)],
  ])('finds %s', (what, value) => {
    expect(lostFrom({ list: [value] })).toMatchObject({
      what: expect.stringContaining(what),
      path: '$.list[0]',
    });
  });

  it.each<[what: string, value: unknown]>([
    ['nothing', null],
    ['empty objects', [{}, Object.create(null), runInNewContext('({})')]],
    ['a missing element', [undefined, null]],
    ['instances with properties, and methods', [new Row(), {}]],
    ['an empty array of bytes', [new Uint8Array(0)]],
    ['dates and URLs', [new Date(0), new URL('http://one/'), null]],
  ])('accepts %s', (_what, value) => {
    expect(lostFrom(value)).toBeUndefined();
  });
});
