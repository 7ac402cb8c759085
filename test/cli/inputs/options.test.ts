import { chmodSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { folderWith, open, readFile, refusal } from '../../inputs/reading.ts';

describe('the source of inputs', () => {
  it.each([
    [{ input: 'a.jsonl', range: '3' }, '--input and --range'],
    [{ range: '3', glob: '**' }, '--range and --glob'],
    [{ input: 'a.jsonl', range: '3', glob: '**' }, '--input and --range and --glob'],
  ])('must be named only once: %o', async (options, named) => {
    const error = await refusal(open(options));
    expect(error.code).toBe('BadOption');
    expect(error.message).toContain(named);
  });

  it('must be named', async () => {
    const error = await refusal(open({}));
    expect(error).toMatchObject({
      code: 'BadOption',
      message: expect.stringMatching(/--input FILE .*--range.*--glob/),
    });
  });

  it.each(['input', 'range', 'glob'])('must not be empty: --%s ""', async (option) => {
    const error = await refusal(open({ [option]: '' }));
    expect(error).toMatchObject({
      code: 'BadOption',
      message: expect.stringContaining(`--${option}`),
    });
  });
});

describe('a file that cannot be read', () => {
  it.each(['missing.jsonl', 'missing.json', 'missing'])('does not exist: %s', async (input) => {
    using folder = folderWith({});
    const error = await refusal(open({ input, cwd: folder.path }));
    expect(error).toMatchObject({
      code: 'BadInput',
      message: `--input ${input} cannot be read: there is no such file.`,
    });
  });

  it.each(['inputs', 'inputs.jsonl', 'inputs.jsonl/'])('is a folder: %s', async (input) => {
    using folder = folderWith({ [`${input}/a`]: '' });
    const error = await refusal(open({ input, cwd: folder.path }));
    expect(error).toMatchObject({
      code: 'BadInput',
      message: expect.stringMatching(/is a folder: .*--glob 'inputs/),
    });
  });

  it.skipIf(process.getuid?.() === 0)('is not readable for this user', async () => {
    using folder = folderWith({ 'a.jsonl': '1' });
    chmodSync(`${folder.path}/a.jsonl`, 0o000);
    const error = await refusal(open({ input: 'a.jsonl', cwd: folder.path }));
    expect(error).toMatchObject({
      code: 'BadInput',
      message: expect.stringMatching(/a\.jsonl .*permission is denied/),
    });
  });

  it('is a .json file: the error has the command that converts it to lines', async () => {
    const error = await refusal(readFile('data.json', '[1, 2]'));
    expect(error.code).toBe('BadInput');
    expect(error.message).toMatch(/jq -c '\.\[\]' data\.json > data\.jsonl$/);
  });

  it('is a .json file whose name needs quotes in a shell', async () => {
    const error = await refusal(readFile("my data's.json", '[1, 2]'));
    expect(error.message).toMatch(/jq -c '\.\[\]' 'my data'\\''s\.json' > 'my data'\\''s\.jsonl'$/);
  });

  it.each(['inputs.parquet', 'inputs', '.jsonl'])('is of no known format: %s', async (name) => {
    const error = await refusal(readFile(name, '1'));
    expect(error.code).toBe('BadInput');
    expect(error.message).toContain('.jsonl, .ndjson, .csv, .txt');
    expect(error.message).toContain(`--input - < ${name}`);
  });
});

describe('a range', () => {
  it.each([
    ['0', 0, undefined, undefined],
    ['3', 3, '0', '2'],
    ['2..2', 1, '2', '2'],
    ['5..1004', 1000, '5', '1004'],
    ['0..2500', 2501, '0', '2500'],
    ['9007199254740990..9007199254740991', 2, '9007199254740990', '9007199254740991'],
  ])('%s has %d numbers', async (range, total, first, last) => {
    const opened = await open({ range });
    expect(opened.total).toBe(total);
    const texts = (await Array.fromAsync(opened.batches())).flat();
    expect(texts).toHaveLength(total);
    expect([texts.at(0), texts.at(-1)]).toEqual([first, last]);
    expect(new Set(texts).size).toBe(total);
    expect(opened.locate(0)).toBeUndefined();
  });

  it('is not expanded before it is read', async () => {
    const opened = await open({ range: String(Number.MAX_SAFE_INTEGER) });
    expect(opened.total).toBe(Number.MAX_SAFE_INTEGER);
    for await (const [first] of opened.batches()) {
      expect(first).toBe('0');
      break;
    }
  });

  it.each([
    'abc',
    '1..',
    '..1',
    '1...3',
    '1..2..3',
    '-5',
    '-5..5',
    '5..-1',
    '1.5',
    '1e3',
    '0x10',
    ' 3',
    '１',
    '5..1',
    '1..0',
    '9007199254740992',
    '9007199254740993',
    '0..9007199254740991',
    '9007199254740992..9007199254740993',
  ])('cannot be %s', async (range) => {
    const error = await refusal(open({ range }));
    expect(error.code).toBe('BadOption');
    expect(error.message).toContain(range);
  });
});
