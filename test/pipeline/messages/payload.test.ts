import { describe, expect, it } from 'vitest';
import { chunkBody } from '../../../src/pipeline/messages/chunk.ts';
import {
  MAX_PAYLOAD_BYTES,
  payloadItem,
  payloadLine,
  readPayloadItem,
  readPayloadLine,
} from '../../../src/pipeline/messages/payload.ts';
import { okLine } from '../../../src/pipeline/messages/result.ts';
import { ResultDraft, readResults } from '../../../src/pipeline/messages/result-message.ts';
import { splitChunk } from '../../../src/pipeline/messages/split-chunk.ts';

const payload = { bytes: 2_000_000, sha256: 'ab'.repeat(32) };
const output = { name: 'output-7-0123456789abcdefghij', ...payload };

describe('an input in an object', () => {
  it('is an item with a third element, which is read as it was written', () => {
    const text = payloadItem(payload);
    const results = 'own' as const;
    const envelope = { runId: 'r', task: 't', attempt: 1, expiresAt: 1, results };
    const body = chunkBody(envelope, [
      { index: 3, text },
      { index: 4, text: '"x"' },
    ]);
    expect(JSON.parse(body).items).toEqual([
      [3, null, payload],
      [4, 'x'],
    ]);
    const items = [
      { index: 3, text, value: null, payload },
      { index: 4, text: '"x"', value: 'x' },
    ];
    expect(splitChunk(body)?.items).toEqual(items);
    // The layout of another version.
    expect(splitChunk(JSON.stringify(JSON.parse(body)))?.items).toEqual(items);
  });

  it.each([
    ['no bytes', { ...payload, bytes: 0 }],
    ['more bytes than an input can have', { ...payload, bytes: MAX_PAYLOAD_BYTES + 1 }],
    ['another checksum', { ...payload, sha256: 'AB'.repeat(32) }],
  ])('is refused with %s', (_, wrong) => {
    expect(readPayloadItem(payloadItem(wrong))).toBeUndefined();
    const forged = `{"v":2,"items":[\n[3,${payloadItem(wrong)}]\n]}`;
    expect(splitChunk(forged)?.items).toBeUndefined();
    expect(splitChunk(JSON.stringify({ items: [[3, null, wrong]] }))?.items).toBeUndefined();
  });

  it('replaces no other input', () => {
    expect(splitChunk(JSON.stringify({ items: [[3, 'x', payload]] }))?.items).toBeUndefined();
    expect(readPayloadItem('null')).toBeUndefined();
  });
});

describe('an output in an object', () => {
  function sent(...lines: string[]): string {
    const draft = new ResultDraft();
    for (const [index, line] of lines.entries()) draft.add(index, line, true);
    return draft.body('run', 'worker');
  }

  it('is read with its worker, beside others', () => {
    const body = sent(okLine(6, '"x"', 1), payloadLine(7, output, 2.5));
    const batch = readResults(body, 'run');
    expect(batch.ok).toEqual([[6, 7]]);
    expect(readPayloadLine(batch.lines[1]?.text ?? '')).toEqual({
      ...{ index: 7, payload: output },
      before: '{"index":7,"status":"ok","output":',
      after: ',"ms":2.5,"worker":"worker"}',
    });
    expect(readPayloadLine(batch.lines[0]?.text ?? '')).toBeUndefined();
    // Another layout.
    const other = readResults(JSON.stringify(JSON.parse(body)), 'run');
    expect(readPayloadLine(other.lines[1]?.text ?? '')?.payload).toEqual(output);
  });

  it.each([
    ['the object of another input', { ...output, name: 'output-8-0123456789abcdefghij' }],
    ['a name that leaves the run', { ...output, name: '../other/output-7-0123456789abcdefghij' }],
    ['an input’s object', { ...output, name: 'input-7' }],
    ['too many bytes', { ...output, bytes: MAX_PAYLOAD_BYTES + 1 }],
  ])('is refused with %s', (_, wrong) => {
    expect(readPayloadLine(payloadLine(7, wrong, 1))).toBeUndefined();
    expect(() => readResults(sent(payloadLine(7, wrong, 1)), 'run')).toThrow('Expected a result');
  });

  it('is not seen in an output that only looks like it', () => {
    const [line] = readResults(sent(okLine(7, payloadLine(7, output, 1), 1)), 'run').lines;
    expect(line?.text).toContain('"payload":{"name":"output-7');
    expect(readPayloadLine(line?.text ?? '')).toBeUndefined();
  });
});
