import { stripVTControlCharacters } from 'node:util';
import { expect, it, vi } from 'vitest';
import { printTaskLine } from '../../src/cli/task-log.ts';
import type { LogLine } from '../../src/index.ts';

const LINE: LogLine = {
  ...{ time: '2026-11-30T12:00:00.000Z', level: 'warn', runId: 'r', task: 'resize', index: 17 },
  ...{ attempt: 1, line: 1, worker: 'worker-1', message: 'odd' },
};

function written(isTTY: boolean, line: LogLine, least: LogLine['level'] = 'debug'): string {
  const { stderr } = process;
  const before = stderr.isTTY;
  Object.assign(stderr, { isTTY });
  const write = vi.spyOn(stderr, 'write').mockReturnValue(true);
  printTaskLine(line, least);
  const text = write.mock.calls.map(([one]) => String(one)).join('');
  write.mockRestore();
  Object.assign(stderr, { isTTY: before });
  return text;
}

it.each<[LogLine, string]>([
  [LINE, 'WARN  resize 17: odd'],
  [{ ...LINE, attempt: 2, level: 'info' }, 'INFO  resize 17, attempt 2: odd'],
  [
    { time: LINE.time, level: 'error', worker: 'worker-1', message: 'a\nb' },
    'ERROR worker-1: a\nb',
  ],
  [{ ...LINE, message: '\u001b[2Jcleared' }, 'WARN  resize 17: \\x1b[2Jcleared'],
  [
    { ...LINE, fields: { url: 'data:,x', text: 'two words', size: 5, more: { a: null } } },
    'WARN  resize 17: odd url=data:,x text="two words" size=5 more={"a":null}',
  ],
  [
    { ...LINE, fields: { error: { name: 'TypeError', message: 'no', cause: { message: 'why' } } } },
    'WARN  resize 17: odd error="TypeError: no: why"',
  ],
])('a terminal shows %j to people', (line, text) => {
  const shown = stripVTControlCharacters(written(true, line));
  expect(shown.replace(/^\d\d:\d\d:\d\d /, '')).toBe(`${text}\n`);
});

it('elsewhere it is one line of JSON, without characters that act on a terminal', () => {
  const line = { ...LINE, message: 'a\nb\u202e' };
  const text = written(false, line);
  expect(JSON.parse(text)).toEqual(line);
  expect(text).toMatch(/^[ -~]*\n$/);
});

it('the level leaves less important lines out', () => {
  for (const isTTY of [true, false]) {
    expect(written(isTTY, LINE, 'error')).toBe('');
    expect(written(isTTY, LINE, 'warn')).not.toBe('');
  }
});
