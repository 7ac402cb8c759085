import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageText } from '../../src/pipeline/chunk.ts';
import { failedLine, okLine, readResults, resultBody } from '../../src/pipeline/result.ts';

describe('result messages', () => {
  it('bring back any outputs, line breaks and lookalikes included', () => {
    const output = fc.oneof(
      fc.jsonValue(),
      fc.constant('\n]}'),
      fc.constant('{"index":7,"status":"ok",'),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(fc.array(output, { minLength: 1 }), fc.string(), (given, worker) => {
        const outputs = JSON.parse(JSON.stringify(given)) as unknown[];
        const lines = outputs.map((one, index) =>
          okLine(index, messageText(JSON.stringify(one)), index / 8),
        );
        const results = readResults(resultBody('run', worker, lines));
        expect(results.map(({ text }) => JSON.parse(text))).toEqual(
          outputs.map((one, index) => ({
            index,
            status: 'ok',
            output: one,
            ms: index / 8,
            worker,
          })),
        );
        for (const { text } of results) expect(text).not.toContain('\n');
      }),
    );
  });

  it('are read as well when somebody else laid them out', () => {
    const results = [
      { index: 3, status: 'ok', output: [1], ms: 2 },
      { index: 4, status: 'failed', error: { code: 'TaskFailed' }, ms: 0 },
    ];
    const body = JSON.stringify({ v: 1, runId: 'r', worker: 'w', results }, null, 2);
    expect(readResults(body).map(({ index, status }) => [index, status])).toEqual([
      [3, 'ok'],
      [4, 'failed'],
    ]);
    expect(JSON.parse(readResults(body)[0]?.text ?? '')).toEqual({ ...results[0], worker: 'w' });
  });

  it('cut an error’s text to what a message holds', () => {
    const error = { code: 'TaskFailed' as const, name: 'E', message: '\u0001'.repeat(2_000_000) };
    const line = failedLine(0, { ...error, attempts: 1 }, 0);
    expect(Buffer.byteLength(line)).toBeLessThan(100_000);
    expect(JSON.parse(line).error.message).toContain('2000000 characters');
  });

  it('are told from what is none', () => {
    expect(() => readResults('nonsense')).toThrow('this one is not JSON');
    expect(() => readResults('{"v":2,"worker":"w","results":[]}')).toThrow(
      'version 1 was expected',
    );
    expect(() => readResults('{"v":1,"worker":"w","results":[{"index":-0.5}]}')).toThrow(
      'A result has an index',
    );
  });
});
