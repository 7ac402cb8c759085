import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { BadInputs } from '../../src/cli/bad-inputs.ts';
import { streamSource } from '../../src/cli/inputs/files.ts';
import type { Format } from '../../src/inputs/extensions.ts';
import { openAs } from '../../src/inputs/formats.ts';
import { pieces } from './reading.ts';

const MAX_BYTES = 1_000;

/** Reads a source in parts of a size. Returns its inputs, and its bad lines. */
async function read(
  bytes: string | Buffer,
  { format, choice, part }: { format: Format; choice: 'skip' | 'report'; part: number },
) {
  const bad = new BadInputs(choice);
  const stdin = Readable.from(pieces(Buffer.from(bytes), part));
  const source = { ...streamSource(stdin, MAX_BYTES), name: 'in', bad };
  const opened = openAs(format, source);
  const texts: string[] = [];
  const found = [];
  for await (const batch of opened.batches()) {
    texts.push(...batch);
    found.push(...bad.drain());
  }
  const places = texts.map((_, index) => opened.locate(index));
  return { texts, found, places, leftOut: bad.leftOut };
}

const LATIN = Buffer.from('"caf\xe9"\n', 'latin1');
const LONG = `"${'x'.repeat(9_000)}"\n`;

const JSONL = Buffer.concat([
  Buffer.from('\ufeff{bad\n1\n\n{"a":\n"2"\r\nnope\r\n'),
  LATIN,
  Buffer.from(`${LONG}3\n\0\n4 5\n4`),
]);
const CSV = Buffer.concat([
  Buffer.from('id,note\n1,fine\n2\n3,5" nail\n4,"a"b\n5,"two\nlines"\n6,a,b\n'),
  LATIN,
  Buffer.from(`8,${'x'.repeat(995)}\n9,"end, ""quoted"""\n`),
]);

it.each([1, 7, 64, 1_000_000])('bad lines of JSON, read in parts of %i bytes', async (part) => {
  const skipped = await read(JSONL, { format: 'jsonl', choice: 'skip', part });
  expect(skipped.texts).toEqual(['1', '"2"', '3', '4']);
  expect(skipped.places).toEqual(['in, line 2', 'in, line 5', 'in, line 9', 'in, line 12']);
  expect(skipped.leftOut).toContain('7 bad inputs were left out; the first: in, line 1');
  const { texts, found, leftOut } = await read(JSONL, { format: 'jsonl', choice: 'report', part });
  // Each bad line has the index of its position.
  expect(found.map(({ index, place }) => [index, place])).toEqual([
    [0, 'in, line 1'],
    [2, 'in, line 4'],
    [4, 'in, line 6'],
    [5, 'in, line 7'],
    [6, 'in, line 8'],
    [8, 'in, line 10'],
    [9, 'in, line 11'],
  ]);
  expect(texts.filter((_, index) => found.every((bad) => bad.index !== index))).toEqual(
    skipped.texts,
  );
  for (const { index, text, reason, place } of found) {
    expect(texts[index]).toBe(JSON.stringify(text));
    expect(text.length).toBeLessThanOrEqual(1_000);
    expect(reason).toContain(place);
  }
  expect(leftOut).toBeUndefined();
});

it.each([1, 7, 64, 1_000_000])('bad rows of CSV, read in parts of %i bytes', async (part) => {
  const skipped = await read(CSV, { format: 'csv', choice: 'skip', part });
  const good = [
    { id: '1', note: 'fine' },
    { id: '5', note: 'two\nlines' },
    { id: '9', note: 'end, "quoted"' },
  ];
  expect(skipped.texts.map((text) => JSON.parse(text))).toEqual(good);
  const { found } = await read(CSV, { format: 'csv', choice: 'report', part });
  expect(found.map(({ index, place, text }) => [index, place, text.slice(0, 9)])).toEqual([
    [1, 'in, line 3', '2'],
    [2, 'in, line 4', '3,5" nail'],
    [3, 'in, line 5', '4,"a"b'],
    [5, 'in, line 8', '6,a,b'],
    [6, 'in, line 9', '"caf\ufffd"'],
    [7, 'in, line 10', '8,xxxxxxx'],
  ]);
});

it('lines of text can be too long, or not text', async () => {
  const bytes = Buffer.concat([Buffer.from(`one\n${LONG}`), LATIN, Buffer.from('two')]);
  const { texts } = await read(bytes, { format: 'text', choice: 'skip', part: 100 });
  expect(texts).toEqual(['"one"', '"two"']);
});

it.each<[what: string, format: Format, bytes: string | Buffer, error: string]>([
  ['JSON over several lines', 'jsonl', '[\n1\n]\n', 'one input per line'],
  ['an uneven header', 'csv', 'a,,b\n1,2,3\n', 'no name for field 2'],
  ['semicolons', 'csv', 'a;b\n1;2\n', 'semicolons'],
  ['a quote that is never closed', 'csv', 'a,b\n1,"x\n2,y\n3,z\n', 'never closed'],
  [
    'an open quote above others',
    'csv',
    'a,b\n1,"x\n2,"y"\n3,z\n',
    'line 2: this is not CSV: a quote opens in this row and is never',
  ],
  ['a quote that is closed rows later', 'csv', 'a,b\n1,"x\n2,y\n3,"z"\n', 'line 2'],
  ['a long line, whose quotes are unknown', 'csv', `a,b\n1,${LONG}2,y\n`, 'line 2'],
  ['a compressed file', 'jsonl', Buffer.from('1f8b08000000000003', 'hex'), 'compressed by gzip'],
])('%s is refused, since no single line is to blame', async (_, format, bytes, error) => {
  await expect(read(bytes, { format, choice: 'skip', part: 64 })).rejects.toThrow(error);
});
