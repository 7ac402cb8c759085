import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageText } from '../../src/pipeline/messages/chunk.ts';
import { failedLine, okLine } from '../../src/pipeline/messages/result.ts';
import { ResultDraft, readResults } from '../../src/pipeline/messages/result-message.ts';

describe('result messages', () => {
  it('that only look like ours are refused, whatever they hold', () => {
    const lookalike = '{"v":1,"worker":oops,"results":[\n{"index":0,"status":"ok"}\n]}';
    expect(() => readResults(lookalike)).toThrow('this one is not JSON');
  });

  it('bring back any outputs, line breaks and lookalikes included', () => {
    const output = fc.oneof(
      fc.jsonValue(),
      fc.constant('\n]}'),
      fc.constant('{"index":7,"status":"ok",'),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(
        fc.array(output, { minLength: 1 }),
        fc.string(),
        fc.nat(5),
        (given, worker, gap) => {
          const outputs = JSON.parse(JSON.stringify(given)) as unknown[];
          const draft = new ResultDraft();
          outputs.forEach((one, at) => {
            const index = at < gap ? at : at + 5;
            draft.add(index, okLine(index, messageText(JSON.stringify(one)), at / 8), true);
          });
          const batch = readResults(draft.body('run', worker));
          const expected = outputs.map((output, at) => ({
            index: at < gap ? at : at + 5,
            status: 'ok',
            output,
            ms: at / 8,
            worker,
          }));
          expect(batch.count).toBe(outputs.length);
          expect(batch.text.split('\n').map((text) => JSON.parse(text))).toEqual(expected);
          expect(batch.lines.map(({ text }) => JSON.parse(text))).toEqual(expected);
          expect(batch.lines.map(({ index }) => index)).toEqual(expected.map(({ index }) => index));
          const indexes = (batch.ok ?? []).flatMap(([first, last]) =>
            Array.from({ length: last - first + 1 }, (_, at) => first + at),
          );
          expect(indexes).toEqual(expected.map(({ index }) => index));
        },
      ),
    );
  });

  it('tell of each result what became of it, where not all are ok', () => {
    const draft = new ResultDraft();
    draft.add(0, okLine(0, '"}"', 1), true);
    const error = { code: 'TaskFailed' as const, name: 'E', message: 'no\nway', attempts: 3 };
    draft.add(1, failedLine(1, error, 2), false);
    draft.add(7, okLine(7, 'null', 3), true);
    const batch = readResults(draft.body('run', '$& $1'));
    expect(batch.ok).toBeUndefined();
    expect(batch.lines.map(({ index, status }) => [index, status])).toEqual([
      [0, 'ok'],
      [1, 'failed'],
      [7, 'ok'],
    ]);
    expect(batch.text.split('\n').map((text) => JSON.parse(text))).toEqual([
      { index: 0, status: 'ok', output: '}', ms: 1, worker: '$& $1' },
      { index: 1, status: 'failed', error, ms: 2, worker: '$& $1' },
      { index: 7, status: 'ok', output: null, ms: 3, worker: '$& $1' },
    ]);
  });

  it('are read as well when somebody else laid them out', () => {
    const results = [
      { index: 3, status: 'ok', output: [1], ms: 2 },
      { index: 4, status: 'failed', error: { code: 'TaskFailed' }, ms: 0 },
    ];
    const body = JSON.stringify({ v: 1, runId: 'r', worker: 'w', results }, null, 2);
    expect(readResults(body).lines.map(({ index, status }) => [index, status])).toEqual([
      [3, 'ok'],
      [4, 'failed'],
    ]);
    expect(JSON.parse(readResults(body).lines[0]?.text ?? '')).toEqual({
      ...results[0],
      worker: 'w',
    });
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
