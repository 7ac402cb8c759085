import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Batch } from '../../src/inputs/batch.ts';
import { type Format, read } from '../../src/inputs/formats.ts';
import { BEGINNING, type Position, type Source } from '../../src/inputs/source.ts';

/** Bytes that come in pieces of so many. */
function source(content: string, pieceBytes: number): Source {
  const bytes = Buffer.from(content);
  return {
    name: 'a',
    maxInputBytes: 10_000,
    async *chunks(at) {
      for (let from = at; from < bytes.length; from += pieceBytes) {
        yield bytes.subarray(from, from + pieceBytes);
      }
    },
  };
}

/** Each input with its line, and where each batch ends. */
async function readAll(format: Format, content: string, pieceBytes: number, from: Position) {
  const { batches, locate } = read(format, source(content, pieceBytes), from);
  const read_: Batch[] = await Array.fromAsync(batches());
  const inputs = read_
    .flatMap(({ texts }) => texts)
    .map((text, at) => `${locate(from.index + at)}: ${text}`);
  return { inputs, ends: read_.map(({ end }) => end) };
}

const field = fc.constantFrom(
  '',
  'x',
  'é\u{1f600}',
  '"a,b"',
  '"\u{1f600}\n\u{1f600}"',
  '"\r\n\r\n"',
  '"""q"""',
);
const csv = fc
  .array(
    fc.oneof(
      fc.tuple(field, field).map((row) => row.join(',')),
      fc.constantFrom('', ' '),
    ),
  )
  .map((rows) => ['', 'a,"b\nc"', ...rows]);
const lines = fc.array(fc.constantFrom('', ' ', '1', '"é\u{1f600}"', '{"a":[1,2,3]}', '\t[2] '));
const contents: [Format, fc.Arbitrary<string[]>][] = [
  ['jsonl', lines],
  ['text', lines],
  ['csv', csv],
];

describe.each(contents)('%s', (format, rows) => {
  it('can be gone on with from the end of any batch', async () => {
    const content = fc
      .tuple(rows, fc.constantFrom('\n', '\r\n'), fc.constantFrom('', '\ufeff'), fc.boolean())
      .map(([all, end, bom, ends]) => bom + all.join(end) + (ends ? end : ''));
    const pieces = fc.integer({ min: 1, max: 60 });
    await fc.assert(
      fc.asyncProperty(content, pieces, pieces, async (text, pieceBytes, otherBytes) => {
        const { inputs, ends } = await readAll(format, text, pieceBytes, BEGINNING);
        for (const end of ends) {
          const rest = await readAll(format, text, otherBytes, end);
          expect(rest.inputs).toEqual(inputs.slice(end.index));
        }
      }),
      { numRuns: 300 },
    );
  });
});
