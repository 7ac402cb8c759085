import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { folderWith, open, read, readFile, readPieces, refusal } from './reading.ts';

const BOM = '\ufeff';

describe('JSON lines', () => {
  it.each(['a.jsonl', 'a.ndjson', 'A.JSONL'])('are read from %s', async (name) => {
    const { texts, places } = await readFile(name, '{"a":1}\n"two"\n[3]\n');
    expect(texts).toEqual(['{"a":1}', '"two"', '[3]']);
    expect(places()).toEqual([`${name}, line 1`, `${name}, line 2`, `${name}, line 3`]);
  });

  it('need no newline at their end', async () => {
    expect((await readFile('a.jsonl', '1\n2')).texts).toEqual(['1', '2']);
  });

  it.each(['', '\n', '\n \n\t\r\n', BOM])('can be empty: %j', async (content) => {
    expect((await readFile('a.jsonl', content)).texts).toEqual([]);
  });

  it('keep their line numbers where blank lines are skipped', async () => {
    const { texts, places } = await readFile('a.jsonl', '\n1\n \t\n\r\n2\n3\n\n\n4');
    expect(texts).toEqual(['1', '2', '3', '4']);
    expect(places()).toEqual([2, 5, 6, 9].map((line) => `a.jsonl, line ${line}`));
  });

  it('keep their line numbers over many blocks and gaps of any size', async () => {
    const lines = Array.from({ length: 20_000 }, (_, at) => {
      const gap = at % 7 === 0 ? (at % 70 === 0 ? 300 : 1) : 0;
      return `${'\n'.repeat(gap)}{"index":${at}}`;
    });
    const content = lines.join('\n');
    const expected = content.split('\n').flatMap((line, at) => (line === '' ? [] : [at + 1]));
    const { texts, locate } = await readFile('a.jsonl', content);
    expect(texts).toHaveLength(expected.length);
    for (let index = 0; index < expected.length; index += 53) {
      expect(locate(index)).toBe(`a.jsonl, line ${expected[index]}`);
    }
  });

  it('are passed on unchanged', async () => {
    const lines = [
      '  { "a" :  1e400 }  ',
      '"\\ud800"',
      'not JSON',
      '\u00a0',
      '"a\u2028b"',
      '\u000b',
    ];
    expect((await readFile('a.jsonl', lines.join('\n'))).texts).toEqual(lines);
  });

  it('can each be an array', async () => {
    expect((await readFile('a.jsonl', '[1,2,3]\n')).values()).toEqual([[1, 2, 3]]);
  });

  it.each([
    ['[\n  1,\n  2\n]\n', "jq -c '.[]' a.jsonl"],
    ['\n [ \r\n  1,\n  2\n]\n', "jq -c '.[]' a.jsonl"],
    ['{\n  "a": 1\n}\n', 'jq -c . a.jsonl'],
  ])('cannot be JSON over several lines: %j', async (content, remedy) => {
    const error = await refusal(readFile('a.jsonl', content));
    expect(error.code).toBe('BadInput');
    expect(error.message).toContain(remedy);
    const piped = await refusal(readPieces(content, 5));
    expect(piped.message).toMatch(/^standard input: .*jq -c (\.|'\.\[\]')$/);
  });

  it.each([1, 2, 3, 4, 5, 7, 1000])(
    'are read from a stream in pieces of %d bytes',
    async (bytes) => {
      const content = `${BOM}"ä"\r\n\r\n"€"\n"😀"\r\n  \r\n"end\u2028"`;
      const { values, places } = await readPieces(content, bytes);
      expect(values()).toEqual(['ä', '€', '😀', 'end\u2028']);
      expect(places()).toEqual([1, 3, 4, 6].map((line) => `standard input, line ${line}`));
    },
  );

  it('are read as they were written, however they are split into blocks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue({ maxDepth: 3 })),
        fc.constantFrom('\n', '\r\n', '\n\n', '\r\n \r\n'),
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 1, max: 40 }),
        async (values, end, bom, ended, bytes) => {
          const lines = values.map((value) => JSON.stringify(value));
          const content = (bom ? BOM : '') + lines.join(end) + (ended ? end : '');
          const piped = await readPieces(content, bytes);
          expect(piped.texts).toEqual(lines);
          const each = end.split('\n').length - 1;
          expect(piped.places()).toEqual(
            lines.map((_, at) => `standard input, line ${1 + at * each}`),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('can be strings from a stream', async () => {
    const { values } = await read({ input: '-', stdin: Readable.from(['1\n', '"ü', '"']) });
    expect(values()).toEqual([1, 'ü']);
  });
});

describe('UTF-8', () => {
  const broken: [string, number[]][] = [
    ['a byte of Latin-1', [0xe4]],
    ['a lone continuation', [0x80]],
    ['a character cut short', [0xe2, 0x82]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['more than U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ];
  it.each(broken)('does not allow %s', async (_, bytes) => {
    const content = Buffer.concat([
      Buffer.from('"€"\n\n"'),
      Buffer.from(bytes),
      Buffer.from('"\n"ä"\n'),
    ]);
    for (const name of ['a.jsonl', 'a.txt', 'a.csv']) {
      const error = await refusal(readFile(name, content));
      expect(error.code).toBe('BadInput');
      expect(error.message).toMatch(new RegExp(`^${name}, line 3: .*UTF-8.*iconv`));
    }
    for (let size = 1; size <= content.length; size++) {
      const error = await refusal(readPieces(content, size));
      expect(error.message).toMatch(/^standard input, line 3: .*UTF-8/);
    }
  });

  it('is reported as invalid at the very end, and far inside', async () => {
    const valid = '"abcdefgh"\n'.repeat(60_000);
    const end = await refusal(readFile('a.jsonl', Buffer.from(`${valid}"\xff`, 'latin1')));
    expect(end.message).toMatch(/^a\.jsonl, line 60001: /);
    const inside = await refusal(
      readFile('a.jsonl', Buffer.from(`${valid}\n"\xff"\n${valid}`, 'latin1')),
    );
    expect(inside.message).toMatch(/^a\.jsonl, line 60002: /);
  });

  it('is valid wherever a file is split into reads', async () => {
    // A character of three bytes does not divide any size of a read that is a power of two.
    const lines = Array.from({ length: 400 }, (_, at) => JSON.stringify('€'.repeat(1_000 + at)));
    expect((await readFile('a.jsonl', lines.join('\n'))).texts).toEqual(lines);
  });

  it('may start with a byte order mark, which is not part of the first line', async () => {
    expect((await readFile('a.jsonl', `${BOM}1\n2`)).texts).toEqual(['1', '2']);
    expect((await readFile('a.txt', `${BOM}1\n${BOM}2`)).values()).toEqual(['1', `${BOM}2`]);
    expect((await readFile('a.csv', `${BOM}a\n2`)).values()).toEqual([{ a: '2' }]);
  });
});

describe('text', () => {
  it('becomes a string per line, even for empty lines', async () => {
    const { values, places } = await readFile('a.txt', ' a "b" \r\n\n \r\n1\tü\\n\n\n');
    expect(values()).toEqual([' a "b" ', '', ' ', '1\tü\\n', '']);
    expect(places()).toEqual([1, 2, 3, 4, 5].map((line) => `a.txt, line ${line}`));
  });

  it.each([
    ['', 0],
    [BOM, 0],
    ['\n', 1],
    ['a', 1],
    ['a\n', 1],
    ['a\n\n', 2],
  ])('ends with its last line: %j has %d', async (content, lines) => {
    expect((await readFile('a.txt', content)).texts).toHaveLength(lines);
  });
});

describe('the largest input', () => {
  const maxInputBytes = 40;
  const largest = JSON.stringify('x'.repeat(38));

  it.each(['\n', '\r\n', ''])('is accepted, before %j', async (end) => {
    const content = BOM + largest + end;
    const { texts } = await readFile('a.jsonl', content, { maxInputBytes });
    expect(texts).toEqual([largest]);
    for (let bytes = 1; bytes < 50; bytes++) {
      const stdin = Readable.from([...Buffer.from(content)].map((byte) => Buffer.from([byte])));
      expect((await read({ input: '-', stdin, maxInputBytes })).texts).toEqual([largest]);
    }
  });

  it.each([
    ['a.jsonl', JSON.stringify('x'.repeat(39)), 41],
    ['a.jsonl', JSON.stringify('€'.repeat(13)), 41],
    ['a.txt', 'x'.repeat(39), 41],
    ['a.txt', '\\'.repeat(20), 42],
  ])('limits a line of %s', async (name, line, bytes) => {
    const error = await refusal(readFile(name, `1\n\n${line}\n`, { maxInputBytes }));
    expect(error.code).toBe('BadInput');
    expect(error.message).toMatch(
      new RegExp(`^${name}, line 3: the input has ${bytes} bytes; .* at most 40`),
    );
  });

  it('limits how much of an endless line is read', async () => {
    let given = 0;
    async function* endless() {
      yield Buffer.from('1\n');
      for (; ; given += 10) yield Buffer.from('0123456789');
    }
    const reading = read({ input: '-', stdin: Readable.from(endless()), maxInputBytes: 1_000 });
    const error = await refusal(reading);
    expect(error.message).toMatch(/^standard input, line 2: the input has more than 1000 bytes/);
    // Streams read a little ahead.
    expect(given).toBeLessThan(2_000);
  });
});

describe('reading', () => {
  it('streams, and ends its source when its consumer ends', async () => {
    let given = 0;
    async function* endless() {
      for (; ; given++) yield Buffer.from(`${given}\n`);
    }
    const stdin = Readable.from(endless());
    const opened = await open({ input: '-', stdin });
    const seen: string[] = [];
    for await (const batch of opened.batches()) {
      seen.push(...batch);
      if (seen.length >= 10) break;
    }
    expect(seen.slice(0, 10)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect(stdin.destroyed).toBe(true);
    expect(given).toBeLessThan(1_000);
  });

  it('yields the inputs so far, although more will follow', async () => {
    const stdin = new PassThrough();
    const opened = await open({ input: '-', stdin });
    const batches = opened.batches()[Symbol.asyncIterator]();
    stdin.write('1\n2\n3');
    expect(await batches.next()).toEqual({ done: false, value: ['1', '2'] });
    stdin.end('4');
    expect(await batches.next()).toEqual({ done: false, value: ['34'] });
    expect(await batches.next()).toMatchObject({ done: true });
  });

  it('reports when standard input breaks', async () => {
    const stdin = new Readable({
      read() {
        this.destroy(Object.assign(new Error('EISDIR: illegal operation'), { code: 'EISDIR' }));
      },
    });
    const error = await refusal(read({ input: '-', stdin }));
    expect(error).toMatchObject({
      code: 'BadInput',
      message: 'standard input cannot be read: it is a folder.',
    });
  });

  it.skipIf(!existsSync('/proc/self/fd'))('leaves no file open', async () => {
    using folder = folderWith({
      'a.jsonl': '1\n'.repeat(200_000),
      'a.csv': 'a\n1\n'.repeat(100_000),
      'bad.txt': Buffer.from([0xff]),
      'a.json': '1',
    });
    const cwd = folder.path;
    for (const input of ['a.jsonl', 'a.csv']) {
      for await (const _ of (await open({ input, cwd })).batches()) break;
      await read({ input, cwd });
      (await open({ input, cwd })).close();
    }
    await refusal(read({ input: 'bad.txt', cwd }));
    await refusal(read({ input: 'a.json', cwd }));
    await expect.poll(() => openFilesIn(cwd)).toEqual([]);
  });
});

function openFilesIn(folder: string): string[] {
  const paths = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return paths.filter((path) => path.startsWith(folder));
}
