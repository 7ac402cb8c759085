import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { KeptLog, keptLines, logPathOf } from '../../../src/cli/resume/kept-log.ts';
import type { LogLine } from '../../../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'fanfold-kept-log-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const line = (index: number, message: string): LogLine => ({
  ...{ time: '2026-11-30T12:00:00.000Z', level: 'info', worker: 'w', task: 't' },
  ...{ index, attempt: 1, line: 1, message },
});
const indexesIn = (output: string, indexes: number[]) =>
  Array.fromAsync(keptLines(output, indexes), (kept) => kept.line.index);

it('a full log drops further lines, and says so', async () => {
  const output = join(folder, 'full.jsonl');
  const kept = new KeptLog(output, 2_000);
  for (let index = 0; index < 10; index++) {
    kept.add(line(index, 'm'.repeat(500)));
    kept.flush();
  }
  kept.close();
  const lines = await Array.fromAsync(keptLines(output, [2, 9]));
  expect(lines.map((one) => [one.line.index, one.line.full])).toEqual([
    [2, undefined],
    [undefined, true],
  ]);
  expect(readFileSync(logPathOf(output)).length).toBeLessThan(2_100);
});

it('a line that a killed command has left unfinished is skipped', async () => {
  const output = join(folder, 'killed.jsonl');
  writeFileSync(
    logPathOf(output),
    `${JSON.stringify(line(1, 'whole'))}\n{"time":"2026","index":1,"t`,
  );
  const kept = new KeptLog(output);
  // An index in a message or a field is not the line's.
  kept.add({ ...line(2, '"index":1,'), fields: { index: 1, more: { index: 1, than: 1 } } });
  kept.add(line(1, 'after'));
  expect(await kept.firstOf([7, 2, 1])).toBe(2);
  expect(await kept.firstOf([7])).toBeUndefined();
  kept.close();
  kept.add(line(1, 'too late'));
  kept.flush();
  expect(await indexesIn(output, [1])).toEqual([1, 1]);
});

it('a log that cannot be written is reported once, and costs nothing else', () => {
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const kept = new KeptLog(join(folder, 'missing/results.jsonl'));
  for (const index of [0, 1]) {
    kept.add(line(index, 'lost'));
    kept.flush();
  }
  kept.close();
  const messages = said.mock.calls.map(([text]) => String(text));
  said.mockRestore();
  expect(messages).toEqual([expect.stringMatching(/log lines are not kept: ENOENT/)]);
});
