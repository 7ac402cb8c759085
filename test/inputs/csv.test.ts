import { Readable } from 'node:stream';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { streamSource } from '../../src/cli/inputs/files.ts';
import { openCsv } from '../../src/inputs/csv.ts';
import { pieces, type Read, readFile, readOpened, refusal } from './reading.ts';

describe('CSV', () => {
  it('becomes an object of strings per row', async () => {
    const { texts, places } = await readFile('a.csv', 'id,name\n1,Ada\n2,\n');
    expect(texts).toEqual(['{"id":"1","name":"Ada"}', '{"id":"2","name":""}']);
    expect(places()).toEqual(['a.csv, line 2', 'a.csv, line 3']);
  });

  it('keeps its columns in order, whatever their names', async () => {
    const { texts } = await readFile('a.csv', '"b ""x""",10,2,__proto__, é\n1,2,3,4,5\n');
    expect(texts).toEqual(['{"b \\"x\\"":"1","10":"2","2":"3","__proto__":"4"," é":"5"}']);
  });

  it.each(['', '\n\n', 'a,b', 'a,b\n', '\ufeffa,b\r\n\r\n'])(
    'can have no rows: %j',
    async (content) => {
      expect((await readFile('a.csv', content)).texts).toEqual([]);
    },
  );

  it.each(['\n', '\r\n'])(
    'supports quotes around commas, quotes and line ends (%j)',
    async (end) => {
      const rows = [
        '',
        'a,b',
        '1,"x,y"',
        '',
        `"two${end}lines",3`,
        '"""q""",""',
        `4,"${end}${end}"`,
        '5,6',
      ];
      const { values, places } = await readFile('a.csv', rows.join(end));
      expect(values()).toEqual([
        { a: '1', b: 'x,y' },
        { a: `two${end}lines`, b: '3' },
        { a: '"q"', b: '' },
        { a: '4', b: end + end },
        { a: '5', b: '6' },
      ]);
      expect(places()).toEqual([3, 5, 7, 8, 11].map((line) => `a.csv, line ${line}`));
    },
  );

  it('can mix both kinds of line ends', async () => {
    const { values } = await readFile('a.csv', 'a,b\r\n1,2\n3,4\r\n"5","6"\n"7","8"\r\n');
    expect(values()).toEqual([
      { a: '1', b: '2' },
      { a: '3', b: '4' },
      { a: '5', b: '6' },
      { a: '7', b: '8' },
    ]);
  });

  it('is read as it was written, however it is split into blocks', async () => {
    const field = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', ' ', 'ü', '\\', ';') }),
      fc.string({ unit: 'grapheme' }),
    );
    const table = fc
      .integer({ min: 1, max: 4 })
      .chain((columns) => fc.array(fc.array(field, { minLength: columns, maxLength: columns })));
    await fc.assert(
      fc.asyncProperty(table, end, pieceBytes, async (rows, end, bytes) => {
        const header = (rows[0] ?? ['']).map((_, at) => `column ${at}`);
        const lines = [header, ...rows].map((row) => row.map(quoted).join(','));
        const { values, places } = await readCut(lines.join(end), bytes);
        expect(values()).toEqual(
          rows.map((row) => Object.fromEntries(row.map((one, at) => [header[at], one]))),
        );
        let next = 1;
        const starts = lines.map((text) => {
          const line = next;
          next += text.split('\n').length;
          return line;
        });
        expect(places()).toEqual(starts.slice(1).map((line) => `standard input, line ${line}`));
      }),
      { numRuns: 200 },
    );
  });

  it('is parsed as csv-parse does, or refused by both', async () => {
    const unit = fc.constantFrom('a', '"', '""', ',', '\n', '"\n"', ',"', '",');
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.string({ unit }), end, pieceBytes, async (text, end, bytes) => {
        const rows = text.replaceAll('\n', end);
        const expected = parsedWhole(rows);
        const reading = readCut(`h\n${rows}`, bytes);
        if (expected === undefined) {
          refused++;
          expect(await refusal(reading)).toMatchObject({ code: 'BadInput' });
        } else if (expected.every((row) => row.length === 1)) {
          expect((await reading).values()).toEqual(expected.map(([h]) => ({ h })));
        } else {
          expect((await refusal(reading)).message).toContain('fields, the header names 1');
        }
      }),
      { numRuns: 1_000 },
    );
    expect(refused).toBeGreaterThan(100);
  });
});

describe('invalid CSV', () => {
  it.each([
    ['a,b\n1,2\n\n1,2,3\n', 4, 'the row has 3 fields, the header names 2. Quote a field'],
    ['a,b\n"x\n\ny",2\n1\n', 5, 'the row has 1 field, the header names 2.'],
    ['a,b\r\n"x\r\n\r\ny",2\r\n1\r\n', 5, 'the row has 1 field, the header names 2.'],
    ['a,b\n1,"2\n3,4\n', 2, 'a quote opens in this row'],
    ['a,b\n1,2\n1,5" pipe\n3,4\n', 3, 'a quote is in a field that does not start with one'],
    ['a,b\n1,"2"x\n', 2, 'text follows a closing quote'],
    ['a,b\n1,"2"\n3,"4"\n1,"2" \n5,"6"\n', 4, 'text follows a closing quote'],
    ['a,b,a\n', 1, 'fields 1 and 3 of the header'],
    ['\n\na,\n', 3, 'no name for field 2'],
    ['a, ,c\n', 1, 'no name for field 2'],
  ])('%j is refused for line %d', async (content, line, reason) => {
    const error = await refusal(readFile('a.csv', content));
    expect(error.code).toBe('BadInput');
    expect(error.message).toMatch(new RegExp(`^a\\.csv, line ${line}: `));
    expect(error.message).toContain(reason);
  });

  it('with a row over the limit is refused', async () => {
    const error = await refusal(readFile('a.csv', 'a\n1\n1234567\n', { maxInputBytes: 14 }));
    expect(error.message).toMatch(/^a\.csv, line 3: the input has 15 bytes; .* at most 14\./);
  });

  it('with a quote that is open for longer than an input can be is refused', async () => {
    let given = 0;
    async function* endless() {
      yield Buffer.from('a\n1\n"2\n');
      for (; ; given += 10) yield Buffer.from('123456789\n');
    }
    const stdin = Readable.from(endless());
    const opened = openCsv(streamSource(stdin, 1_000));
    const error = await refusal(Array.fromAsync(opened.batches()));
    expect(error.message).toMatch(/^standard input, line 3: .* a quote opens in this row/);
    expect(given).toBeLessThan(2_000);
    expect(stdin.destroyed).toBe(true);
  });
});

const end = fc.constantFrom('\n', '\r\n');
const pieceBytes = fc.integer({ min: 1, max: 50 });

function quoted(field: string): string {
  return `"${field.replaceAll('"', '""')}"`;
}

function readCut(content: string, bytes: number): Promise<Read> {
  const stdin = Readable.from(pieces(Buffer.from(content), bytes));
  return readOpened(openCsv(streamSource(stdin, 100_000)));
}

/** All rows as csv-parse reads them by itself, undefined when it refuses them. */
function parsedWhole(rows: string): string[][] | undefined {
  try {
    return parse(rows, {
      relax_column_count: true,
      skip_empty_lines: true,
      record_delimiter: ['\r\n', '\n'],
    });
  } catch {
    return undefined;
  }
}
