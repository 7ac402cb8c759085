import { execFileSync } from 'node:child_process';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { folderWith, read, readFile, readPieces, refusal } from './reading.ts';

const utf16 = (text: string) => Buffer.from(text, 'utf16le');
const swapped = (text: string) => utf16(text).swap16();
const zip = (name: string) => Buffer.from(`PK\u0003\u0004\n\0\0\0\0\0${name}`, 'latin1');

const TABLE = 'name,n\nÄda,1\n';
const LINES = '{"name":"Äda"}\n';
const UNZIPPED = /compressed by gzip.* gunzip -c/;

describe('a file that is not UTF-8 text is refused with its kind, whatever its name', () => {
  const kinds: [string, (text: string) => Uint8Array, string | RegExp][] = [
    ['gzip', (text) => gzipSync(text), UNZIPPED],
    ['zstd', (text) => zstdCompressSync(text), 'zstd -dc'],
    ['UTF-16 little-endian', utf16, 'iconv -f UTF-16LE -t UTF-8'],
    ['UTF-16 big-endian', swapped, 'iconv -f UTF-16BE -t UTF-8'],
    ['UTF-16LE with its mark', (text) => utf16(`\ufeff${text}`), 'iconv -f UTF-16LE -t UTF-8'],
    ['UTF-16BE with its mark', (text) => swapped(`\ufeff${text}`), 'iconv -f UTF-16BE -t UTF-8'],
    ['UTF-16 without Latin letters', () => utf16('中文\n日本語\n'), 'iconv -f UTF-16LE'],
    ['UTF-16 on one line', () => utf16('[1]'), 'iconv -f UTF-16LE'],
    ['UTF-16 with old line ends', () => utf16('a\rb\r'), 'iconv -f UTF-16LE'],
    ['a spreadsheet', () => zip('[Content_Types].xml'), 'CSV in UTF-8'],
    ['a spreadsheet of openpyxl', () => zip('docProps/app.xml'), 'CSV in UTF-8'],
    ['a zip archive', () => zip('a.jsonl'), 'unzip -p'],
    ['Parquet', () => Buffer.from('PAR1\u0015\u0004\u0015\0\n\0'), 'Parquet'],
    ['Windows-1252', () => Buffer.from('"\u00e4"\n', 'latin1'), 'iconv -f WINDOWS-1252 -t UTF-8'],
    ['a list with NULs', () => Buffer.from('a/b\0a/cd\0a\n'), /tr '\\000' '\\n'/],
  ];

  it.each(kinds)('%s', async (_, make, remedy) => {
    for (const name of ['a.jsonl', 'a.csv', 'a.txt']) {
      const bytes = make(name === 'a.csv' ? TABLE : LINES);
      const error = await refusal(readFile(name, bytes));
      expect(error.code).toBe('BadInput');
      expect(error.message).toEqual(expect.stringMatching(remedy));
      expect(error.message).toMatch(new RegExp(`^${name}[:,]`));
    }
    for (const size of [11, 1_000]) {
      const { message } = await refusal(readPieces(make(LINES), size));
      expect(message).toEqual(expect.stringMatching(remedy));
      expect(message).toMatch(/^standard input[:,]/);
    }
  });

  it('is refused with its kind even if its extension is unknown', async () => {
    for (const name of ['a', 'a.jsonl.gz', 'a.json']) {
      expect((await refusal(readFile(name, gzipSync('1\n')))).message).toMatch(UNZIPPED);
    }
  });

  it('is refused however long it is without a line feed', async () => {
    const bytes = utf16('x'.repeat(1_000));
    const long = await refusal(readFile('a.txt', bytes, { maxInputBytes: 100 }));
    expect(long.message).toContain('UTF-16LE');
  });

  it('is accepted if it only starts like such a file', async () => {
    expect((await readFile('a.txt', 'PAR1\nBZh9\nPK\n')).values()).toEqual(['PAR1', 'BZh9', 'PK']);
  });
});

describe('the suggested remedy works', () => {
  it.each<[string, Uint8Array, string?]>([
    ['a.csv', utf16(`\ufeff${TABLE}`)],
    ['b.csv', swapped(TABLE)],
    ['c.csv', Buffer.from(TABLE, 'latin1')],
    ['d.csv.gz', gzipSync(TABLE), 'd.csv'],
    ['e.csv', Buffer.from(TABLE.replaceAll('\n', '\r'))],
    ["f's.csv", Buffer.from(TABLE.replaceAll(',', ';'))],
    ['g.csv', Buffer.from('"name"\t"n"\n"Äda"\t"1"\n')],
    ['h.csv', Buffer.from(TABLE.replaceAll(',', '|'))],
  ])('%s', async (name, bytes, made = name.replace('.', '.converted.')) => {
    using folder = folderWith({ [name]: bytes });
    const reading = read({ input: name, cwd: folder.path });
    const [, command = ''] = / with: (.*)$/.exec((await refusal(reading)).message) ?? [];
    execFileSync('sh', ['-c', command], { cwd: folder.path });
    const { values } = await read({ input: made, cwd: folder.path });
    expect(values()).toEqual([{ name: 'Äda', n: '1' }]);
  });
});

describe('lines that end with carriage returns alone', () => {
  it.each([
    ['a.csv', 'a,b\r1,2\r'],
    ['a.txt', 'one\rtwo'],
    ['a.jsonl', '1\r2\r'],
  ])('are refused: %s', async (name, content) => {
    const expected = /carriage returns only.* tr '\\r' '\\n' < a\./;
    expect((await refusal(readFile(name, content))).message).toMatch(expected);
    const long = content + '3\r'.repeat(100);
    expect((await refusal(readFile(name, long, { maxInputBytes: 50 }))).message).toMatch(expected);
    expect((await refusal(readPieces(content, 1))).message).toContain("tr '\\r' '\\n'");
  });

  it('are refused in a CSV with other line ends, and kept in quotes', async () => {
    for (const content of ['a\n1\r2\n', 'a,b\r1,2\n', 'a,b\n"1",2\r3,4\n']) {
      const { message } = await refusal(readFile('a.csv', content));
      expect(message).toMatch(/^a\.csv, line [12]: the row contains a carriage return/);
    }
    const { values } = await readFile('a.csv', 'a,b\r\n"1\r2",3\r\n');
    expect(values()).toEqual([{ a: '1\r2', b: '3' }]);
  });

  it('are data within a line of text', async () => {
    expect((await readFile('a.txt', '10%\r20%\nb\n')).values()).toEqual(['10%\r20%', 'b']);
    expect((await readFile('a.txt', 'one\r')).values()).toEqual(['one']);
  });
});

describe('a table with another separator than commas', () => {
  it.each([
    ['a;b\n1;2\n', 'semicolons'],
    ['a;b\n1,5;2,5\n', 'semicolons'],
    ['"a";"b"\r\n"1";"2"\r\n', 'semicolons'],
    ['a\tb\tc\n1\t\t3\n', 'tabs'],
    ['a|b\n1|"x,y"\n', 'vertical bars'],
    ['name;"price, EUR"\nx;1\n', 'semicolons'],
    ['name;price, EUR;note\na;1,5;x\n', 'semicolons'],
    ['id\tname, first\tage\n1\tPoe, Edgar\t40\n', 'tabs'],
  ])('is refused: %j', async (content, separators) => {
    const { message } = await refusal(readFile('a.csv', content));
    expect(message).toMatch(new RegExp(`^a\\.csv, line 1: ${separators} separate the fields`));
  });

  it.each(['a,b;c\n1,2;3\n', 'a;b,c\n1;2,3\n'])(
    'is refused if commas fit as well: %j',
    async (content) => {
      const { message } = await refusal(readFile('a.csv', content));
      expect(message).toMatch(/^a\.csv, line 1: commas or semicolons can separate the fields/);
    },
  );

  it.each([
    ['title\nx; y\n', [{ title: 'x; y' }]],
    ['a;b\nx\n', [{ 'a;b': 'x' }]],
    ['"a;b"\n"x;y"\n', [{ 'a;b': 'x;y' }]],
    ['a,"b;c"\n1,2;3\n', [{ a: '1', 'b;c': '2;3' }]],
    ['a,b,c;d\n1,2,3;4\n', [{ a: '1', b: '2', 'c;d': '3;4' }]],
    ['a;b\n', []],
  ])('is read if it has a single column: %j', async (content, expected) => {
    expect((await readFile('a.csv', content)).values()).toEqual(expected);
  });
});

it('a header of many columns is read in linear time', async () => {
  const columns = 100_000;
  const header = Array.from({ length: columns }, (_, at) => `c${at}`).join(',');
  const cells = new Array(columns).fill('1');
  const startedAt = performance.now();
  const content = `${header}\n${cells.join(',')}\n${cells.map((cell) => `"${cell}"`).join(',')}\n`;
  const { texts } = await readFile('a.csv', content, { maxInputBytes: 5_000_000 });
  expect(texts).toHaveLength(2);
  // Each name compared with each took 20 s and more.
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});
