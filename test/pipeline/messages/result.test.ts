import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageText } from '../../../src/pipeline/messages/chunk.ts';
import { failedLine, okLine } from '../../../src/pipeline/messages/result.ts';
import {
  type ResultBatch,
  ResultDraft,
  readResults,
} from '../../../src/pipeline/messages/result-message.ts';

/** Checks that each line of a batch is one JSON object that matches the entered result. */
function expectOnlyJson(batch: ResultBatch, worker: string): void {
  const lines = batch.text.split('\n');
  expect(lines.length).toBe(batch.count);
  expect(batch.lines.map(({ text }) => text)).toEqual(lines);
  const indexes = (batch.ok ?? []).flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, at) => first + at),
  );
  if (batch.ok) expect(batch.lines.map(({ index }) => index)).toEqual(indexes);
  for (const { index, status, text } of batch.lines) {
    expect(JSON.parse(text)).toMatchObject({ index, status, worker });
    // Readers differ in which of two equal keys they use.
    expect(text.startsWith(`{"index":${index},"status":"${status}",`)).toBe(true);
    expect(Number.isSafeInteger(index) && index >= 0 && index < 1_000_000_000).toBe(true);
  }
}

/** A message with these as its results' lines. */
const laidOut = (lines: string, ok: unknown = [[0, 0]], worker = 'w') =>
  `${JSON.stringify({ v: 1, runId: 'r', worker, ok }).slice(0, -1)},"results":[\n${lines}\n]}`;

describe('forged result messages', () => {
  const line = '{"index":0,"status":"ok","output":1,"ms":1}';
  it.each([
    ['no JSON', laidOut('{"index":0,"status":"ok","output":oops,"ms":1}')],
    ['text behind an output', laidOut('{"index":0,"status":"ok","output":1 2,"ms":1}')],
    ['time that is no number', laidOut('{"index":0,"status":"ok","output":1,"ms":}')],
    ['a line too many', laidOut(`${line},\nnot a result}`)],
    ['nothing between two lines', laidOut(`${line}\n${line}`)],
    ['an index of 2^32 - 2', laidOut(line.replace('0', '4294967294'))],
    ['an index of 2^32 + 5', laidOut(line.replace('0', '4294967301'))],
    ['an index of 2^53', laidOut(line.replace('0', '9007199254740992'))],
    ['an index with more digits than a number has', laidOut(line.replace('0', '1'.repeat(400)))],
    ['a negative index', laidOut(line.replace('0', '-1'))],
    ['a fractional index', laidOut(line.replace('0', '0.5'))],
    ['an index with a leading zero', laidOut(line.replace('0', '01'))],
    ['no output', laidOut('{"index":0,"status":"ok"}')],
    ['no error', laidOut('{"index":0,"status":"failed","error":null,"ms":1}')],
    ['another status', laidOut(line.replace('ok', 'done'))],
    ['another run', laidOut(line).replace('"r"', '"s"')],
    ['no run', laidOut(line).replace('"runId":"r",', '')],
    ['a result that is null', JSON.stringify({ v: 1, runId: 'r', worker: 'w', results: [null] })],
    ['a worker’s name that would make it large', laidOut(line, [[0, 0]], 'w'.repeat(100_000))],
    [
      'a depth that overflows the stack',
      laidOut(
        `${line}, {"index":1,"status":"ok","output":${'['.repeat(200_000)}${']'.repeat(200_000)},"ms":1}`,
      ),
    ],
  ])('are refused: %s', (_, body) => {
    expect(() => readResults(body, 'r')).toThrow(expect.objectContaining({ code: 'BadMessage' }));
  });

  it.each([
    [
      'one result over two lines',
      laidOut('{"index":0,"status":"ok","output":[{"a":1},\n{"index":1,"status":"ok"}],"ms":1}'),
      [0],
    ],
    ['a second index', laidOut('{"index":0,"status":"ok","output":1,"ms":1,"index":7}'), [7]],
    ['a second status', laidOut('{"index":0,"status":"ok","output":1,"ms":1,"status":"ok"}'), [0]],
    [
      'a worker of its own',
      laidOut('{"index":0,"status":"ok","output":1,"ms":1,"worker":"x"}'),
      [0],
    ],
    ['spaces and line feeds', laidOut('{"index":0,"status":"ok","output":[\n1],"ms":1}'), [0]],
    ['other indexes than their head says', laidOut(line, [[5, 5]]), [0]],
    ['a head that says billions', laidOut(line, [[0, 4_294_967_294]]), [0]],
    [
      'a depth that JSON.parse takes',
      laidOut(
        `{"index":0,"status":"ok","output":${'['.repeat(50_000)}${']'.repeat(50_000)},"ms":1}`,
      ),
      [0],
    ],
  ])('are entered as what is written: %s', (_, body, indexes) => {
    const batch = readResults(body, 'r');
    expect(batch.lines.map(({ index }) => index)).toEqual(indexes);
    expectOnlyJson(batch, 'w');
  });

  it('are refused or entered as what is written, wherever a real one was changed', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '\n',
        ',\n',
        '},\n',
        '"',
        '\\',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '0',
        '9',
        '-',
        ' ',
      ),
      fc.constantFrom(`,"index":1`, `,"status":"failed"`, `,"worker":"x"`, line, `${line},\n`),
      fc.constantFrom('"ok"', '"failed"', '1e9', '1.5', 'null', '', '\u2028', '\ud800'),
    );
    const outputs = fc.array(fc.jsonValue(), { minLength: 1, maxLength: 4 });
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(8), piece), { minLength: 1, maxLength: 3 });
    let taken = 0;
    fc.assert(
      fc.property(outputs, edits, fc.boolean(), (given, changes, allOk) => {
        const draft = new ResultDraft();
        given.forEach((output, index) => {
          draft.add(index, okLine(index, messageText(JSON.stringify(output)), index / 8), true);
        });
        const error = { code: 'TaskFailed' as const, name: 'E', message: 'no', attempts: 1 };
        if (!allOk) draft.add(given.length, failedLine(given.length, error, 0), false);
        let body = draft.body('r', 'w');
        for (const [place, length, text] of changes) {
          const at = place % body.length;
          body = body.slice(0, at) + text + body.slice(at + length);
        }
        let batch: ResultBatch;
        try {
          batch = readResults(body, 'r');
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'BadMessage' });
          return;
        }
        taken++;
        expectOnlyJson(batch, JSON.parse(body).worker);
      }),
      { numRuns: 2_000 },
    );
    expect(taken).toBeGreaterThan(10);
  });
});

describe('result messages', () => {
  it('that only resemble Fanfold’s are refused, whatever they hold', () => {
    const lookalike =
      '{"v":1,"runId":"run","worker":oops,"results":[\n{"index":0,"status":"ok"}\n]}';
    expect(() => readResults(lookalike, 'run')).toThrow('not JSON');
  });

  it('return any outputs, line breaks and lookalikes included', () => {
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
          const batch = readResults(draft.body('run', worker), 'run');
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

  it('carry the outcome of each result if not all are ok', () => {
    const draft = new ResultDraft();
    draft.add(0, okLine(0, '"}"', 1), true);
    const error = { code: 'TaskFailed' as const, name: 'E', message: 'no\nway', attempts: 3 };
    draft.add(1, failedLine(1, error, 2), false);
    draft.add(7, okLine(7, 'null', 3), true);
    const batch = readResults(draft.body('run', '$& $1'), 'run');
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

  it('are read in any JSON layout', () => {
    const results = [
      { index: 3, status: 'ok', output: [1], ms: 2 },
      { index: 4, status: 'failed', error: { code: 'TaskFailed', name: 'E', message: '' }, ms: 0 },
    ];
    const body = JSON.stringify({ v: 1, runId: 'r', worker: 'w', results }, null, 2);
    expect(readResults(body, 'r').lines.map(({ index, status }) => [index, status])).toEqual([
      [3, 'ok'],
      [4, 'failed'],
    ]);
    expect(JSON.parse(readResults(body, 'r').lines[0]?.text ?? '')).toEqual({
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

  it('are distinguished from other messages', () => {
    expect(() => readResults('nonsense', 'r')).toThrow('not JSON');
    expect(() => readResults('{"v":2,"runId":"r","worker":"w","results":[]}', 'r')).toThrow(
      'version 1 and run r',
    );
    expect(() =>
      readResults('{"v":1,"runId":"r","worker":"w","results":[{"index":-0.5}]}', 'r'),
    ).toThrow('Expected a result with `index`');
  });
});
