import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Columns } from '../../src/outputs/columns.ts';
import { columnsOf } from '../../src/outputs/columns-of.ts';
import { okLine, okLines, type Table, tableOf } from './encoded.ts';

const FORMATS = ['csv', 'parquet'] as const;

type Revive = (key: string, value: unknown, context: { source: string }) => unknown;

/** TypeScript's library does not describe the sources of values yet: hence the cast. */
const parseWithSources = JSON.parse as unknown as (text: string, revive: Revive) => unknown;

/** A JSON text as a value in which each number is its text: no number is rounded. */
const exactly = (json: string) =>
  parseWithSources(json, (_key, value, { source }) => (typeof value === 'number' ? source : value));

/** The output that a row stands for, without its nulls. */
function outputOf(row: unknown[], columns: Columns): unknown {
  const values = columns.map(({ type }, at) => {
    const cell = row[at + 1];
    return type === 'json' && cell !== null ? exactly(String(cell)) : cell;
  });
  if (columns[0]?.field === undefined) return values[0];
  const fields = columns.map(({ field }, at): [string, unknown] => [field ?? '', values[at]]);
  return Object.fromEntries(fields.filter(([, value]) => value !== null));
}

/** An output without what a table does not tell apart: null, and fields that are null or missing. */
function withoutNulls(output: string, columns: Columns): unknown {
  const value = exactly(output);
  if (columns[0]?.field === undefined) return value;
  return Object.fromEntries(Object.entries(value ?? {}).filter(([, one]) => one !== null));
}

function expectKept(outputs: string[], columns: Columns, { rows, misfits }: Table): void {
  const out = new Set(misfits.map(({ line }) => line));
  expect(out.size + rows.length).toBe(outputs.length);
  const kept = [...outputs.entries()].filter(([at, output]) => !out.has(okLine(at, output)));
  for (const [at, [index, output]] of kept.entries()) {
    const row = rows[at] ?? [];
    expect(row[0]).toBe(String(index));
    const expected = withoutNulls(output, columns);
    if (!isDeepStrictEqual(outputOf(row, columns), expected)) {
      expect.fail(`${output} became ${JSON.stringify(row)} in ${JSON.stringify(columns)}`);
    }
  }
}

const HOSTILE = [
  '9007199254740993',
  '-9223372036854775808',
  '9223372036854775808',
  '123456789012345678901234567890',
  '0.1000000000000000055511151231257827',
  '-0',
  '1e+308',
  '1e400',
  '5e-324',
  '9007199254740994',
  '4611686018427388000',
  '9223372036854776000',
  '0.5',
  '7',
  'null',
  'true',
  '{}',
  '[]',
  '""',
  '" "',
  '"\\ud800"',
  '"\\u0000"',
  '"a,\\"b\\"\\r\\nc\\rd\\ne"',
  '"=1+1"',
  '"NULL"',
  '"7"',
  '"\\ufeff\\u2028"',
  '[-0,9007199254740993]',
  '{"__proto__":1}',
];

const leaf = fc.oneof(fc.constantFrom(...HOSTILE), fc.json({ maxDepth: 2 }));
const name = fc.constantFrom(
  ...['a', 'A', 'b', 'a_2', 'index', 'INDEX', '', ' ', 'a.b', 'q"u,o\n', '1', '\ud800', 'É', 'é'],
  ...['__proto__', 'constructor', 'toString'],
);
const record = fc
  .uniqueArray(fc.tuple(name, leaf), { selector: ([key]) => key, maxLength: 6 })
  .map((fields) => `{${fields.map(([key, json]) => `${JSON.stringify(key)}:${json}`)}}`);
const outputs = fc.oneof(
  fc.array(record, { maxLength: 20 }),
  fc.array(leaf, { maxLength: 20 }),
  fc.array(fc.oneof(record, leaf), { maxLength: 20 }),
);

describe.each(FORMATS)('%s', (format) => {
  it('keeps every output that fits, as it is, and hands out the others', async () => {
    await fc.assert(
      fc.asyncProperty(outputs, fc.nat(20), async (texts, known) => {
        const lines = okLines(texts);
        const columns: Columns = JSON.parse(JSON.stringify(columnsOf(lines.slice(0, known))));
        const table = await tableOf(lines, format, columns);
        expect(table.names).toEqual([
          'index',
          ...columns.map(({ name: one }) => one.toWellFormed()),
        ]);
        expectKept(texts, columns, table);
        // Outputs always fit the columns that they made.
        for (const line of lines.slice(0, known)) {
          expect(table.misfits.map((misfit) => misfit.line)).not.toContain(line);
        }
      }),
      { numRuns: 100 },
    );
  });

  it.each(['gzip', 'zstd'] as const)('can be compressed: %s', async (compression) => {
    const lines = okLines(
      Array.from({ length: 3_000 }, (_, at) => `{"n":${at},"text":"row ${at}"}`),
    );
    const table = await tableOf(lines, format, columnsOf(lines), compression);
    expect(table.rows).toHaveLength(3_000);
    expect(table.rows[2_999]).toEqual(['2999', '2999', 'row 2999']);
    expect(table.bytes.length).toBeLessThan(lines.join('\n').length / 4);
  });

  it('can have no rows, one row, or 200 columns', async () => {
    const wide = `{${Array.from({ length: 200 }, (_, at) => `"c${at}":${at}`)}}`;
    const columns = columnsOf(okLines([wide]));
    expect(columns).toHaveLength(200);
    const none = await tableOf([], format, columns);
    expect([none.names.length, none.rows]).toEqual([201, []]);
    const one = await tableOf(okLines([wide]), format, columns);
    expect(one.rows.map((row) => row.length)).toEqual([201]);
    expect(one.rows[0]?.at(-1)).toBe('199');
  });

  it('says which line does not fit, and why', async () => {
    const columns = columnsOf(
      okLines(['{"id":1,"price":0.5,"name":"a","on":true,"tags":[1]}', '{"tags":"none"}']),
    );
    const cases: [output: string, words: RegExp][] = [
      ['{"id":"7"}', /^Input 1: the field "id" is a string, .* whole numbers/],
      ['{"id":7.5}', /"id" is a fraction/],
      ['{"id":1e20}', /"id" is a number beyond 64 bits/],
      ['{"id":-0}', /"id" is negative zero/],
      ['{"price":9007199254740993}', /"price" is a number that a double does not hold/],
      ['{"name":"\\ud800"}', /"name" is a string with half of a surrogate pair/],
      ['{"name":5}', /"name" is a whole number, and its column has strings/],
      ['{"on":"true"}', /"on" is a string, and its column has booleans/],
      ['{"id":[1]}', /"id" is an array/],
      ['{"id":{}}', /"id" is an object/],
      ['{"ID":1}', /no column for the field "ID"/],
      ['"text"', /the output is a string/],
      ['[1]', /the output is an array/],
    ];
    for (const [output, words] of cases) {
      const line = okLine(1, output);
      const { rows, misfits } = await tableOf([line], format, columns);
      expect(rows).toEqual([]);
      expect(misfits).toEqual([{ line, reason: expect.stringMatching(words) }]);
    }
    const scalars = await tableOf(okLines(['"a"']), format, columnsOf(okLines(['1'])));
    expect(scalars.misfits[0]?.reason).toMatch(/the output is a string, .* whole numbers/);
  });

  it('hands out an output that is nested too deeply to be written', async () => {
    const deep = `${'['.repeat(200_000)}0.123456789012345678${']'.repeat(200_000)}`;
    const lines = okLines([`{"a":${deep}}`, '{"a":[]}', '{"a":1}']);
    const { rows, misfits } = await tableOf(lines, format, columnsOf(lines));
    expect(rows.map(([index]) => index)).toEqual(['1', '2']);
    expect(misfits).toEqual([{ line: lines[0], reason: expect.stringMatching(/too deeply/) }]);
  });

  it('has results that are ok only', async () => {
    const lines = [
      '{"index":0,"status":"failed","error":{"code":"TaskFailed"},"ms":1,"worker":"w"}',
      '{"index":1,"status":"cancelled"}',
    ];
    const { rows, misfits } = await tableOf(lines, format, columnsOf(lines));
    expect(rows).toEqual([]);
    expect(misfits.map(({ line }) => line)).toEqual(lines);
    expect(misfits[1]?.reason).toMatch(/Input 1.*cancelled/);
  });
});

describe('columns', () => {
  const typesOf = (texts: string[]) =>
    columnsOf(okLines(texts)).map(({ name: one, type }) => `${one}: ${type}`);

  it.each([
    [['{"a":1}', '{"a":2.5}'], ['a: double']],
    [
      ['{"a":1}', '{"b":"x"}', '{"a":null}'],
      ['a: integer', 'b: text'],
    ],
    [['{"a":1}', '{"a":"x"}'], ['a: json']],
    [['{"a":true}', '{"a":0}'], ['a: json']],
    [['{"a":9007199254740993}', '{"a":1}'], ['a: integer']],
    [['{"a":9007199254740993}', '{"a":0.5}', '{"a":1}'], ['a: json']],
    [['{"a":1e300}', '{"a":1}'], ['a: double']],
    [['{"a":9223372036854776000}'], ['a: double']],
    [['{"a":9223372036854775808}'], ['a: json']],
    [['{"a":{"b":1}}'], ['a: json']],
    [['{"a":null}'], ['a: json']],
    [['{"a":"\\ud800"}', '{"a":"x"}'], ['a: json']],
    [['1', '2', 'null'], ['output: integer']],
    [['"x"'], ['output: text']],
    [['[1]'], ['output: json']],
    [['{"a":1}', 'null'], ['a: integer']],
    [['{"a":1}', '5'], ['output: json']],
    [['{}', '5'], ['output: json']],
    [['{}'], ['output: json']],
    [['null'], ['output: json']],
    [[], ['output: json']],
  ])('of %j', (texts, types) => {
    expect(typesOf(texts)).toEqual(types);
  });

  it('have names of their own, whatever the case, beside `index`', () => {
    const [text = ''] = ['{"index":1,"Index":2,"index_2":3,"a":4,"A":5,"":6,"field":7,"a_2":8}'];
    expect(columnsOf(okLines([text])).map(({ name: one, field }) => [field, one])).toEqual([
      ['index', 'index_3'],
      ['Index', 'Index_4'],
      ['index_2', 'index_2'],
      ['a', 'a'],
      ['A', 'A_3'],
      ['', 'field'],
      ['field', 'field_2'],
      ['a_2', 'a_2'],
    ]);
  });

  it('come from the first 1,000 results; of outputs by key, one column', () => {
    const many = Array.from({ length: 1_000 }, () => '{"a":1}');
    expect(typesOf([...many, '{"b":1}'])).toEqual(['a: integer']);
    const keys = Array.from({ length: 1_001 }, (_, at) => `{"key${at}":1}`);
    expect(typesOf(keys.slice(0, 1_000))).toHaveLength(1_000);
    expect(typesOf([`{${Array.from({ length: 1_001 }, (_, at) => `"k${at}":1`)}}`])).toEqual([
      'output: json',
    ]);
  });
});
