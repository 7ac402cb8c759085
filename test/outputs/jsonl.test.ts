import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type Encoding, encodeResults } from '../../src/outputs/encode.ts';
import { extensionOf } from '../../src/outputs/formats.ts';
import { bytesOf } from './encoded.ts';

const LINES = [
  '{"index":0,"status":"ok","output":"é\\n\\ud800","ms":1,"worker":"w"}',
  '{"index":1,"status":"failed","error":{"code":"TaskFailed"},"ms":1,"worker":"w"}',
  '{"index":2,"status":"cancelled"}',
];

const PLAIN: Encoding = { format: 'jsonl' };
const UNPACK = {
  none: (bytes: Uint8Array) => bytes,
  gzip: (bytes: Uint8Array) => gunzipSync(bytes),
  zstd: (bytes: Uint8Array) => zstdDecompressSync(bytes),
};

describe('JSON lines', () => {
  it.each(['none', 'gzip', 'zstd'] as const)('has each result as it is (%s)', async (packed) => {
    const compression = packed === 'none' ? undefined : packed;
    for (const lines of [LINES, []]) {
      const bytes = await bytesOf(encodeResults(lines, { format: 'jsonl', compression }));
      const text = Buffer.from(UNPACK[packed](bytes)).toString();
      expect(text).toBe(lines.map((line) => `${line}\n`).join(''));
    }
  });

  it('is streamed: reads no further than its reader', async () => {
    let read = 0;
    let closed = false;
    async function* endless() {
      try {
        while (true) yield `{"index":${read++},"status":"ok","output":"${'x'.repeat(10_000)}"}`;
      } finally {
        closed = true;
      }
    }
    for (const compression of [undefined, 'gzip', 'zstd'] as const) {
      read = 0;
      for await (const chunk of encodeResults(endless(), { format: 'jsonl', compression })) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      expect(read).toBeLessThan(3_000);
      await expect.poll(() => closed).toBe(true);
      closed = false;
    }
  });

  it.each([undefined, 'gzip', 'zstd'] as const)(
    'passes an error of its lines on (%s)',
    async (compression) => {
      async function* broken() {
        yield '{"index":0,"status":"cancelled"}';
        throw new Error('lines broke');
      }
      const encoded = encodeResults(broken(), { ...PLAIN, compression });
      await expect(bytesOf(encoded)).rejects.toThrow('lines broke');
    },
  );
});

it('a result file is named by its format and compression', () => {
  expect(extensionOf('jsonl')).toBe('.jsonl');
  expect(extensionOf('csv', 'gzip')).toBe('.csv.gz');
  expect(extensionOf('jsonl', 'zstd')).toBe('.jsonl.zst');
  expect(extensionOf('parquet', 'zstd')).toBe('.parquet');
});
