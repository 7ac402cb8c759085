import { expect, it, onTestFinished, vi } from 'vitest';
import { sayShort } from '../../src/cli/log.ts';

function written(message: string, terminal: { isTTY: boolean; columns: number }): string {
  const { stderr } = process;
  const before = { isTTY: stderr.isTTY, columns: stderr.columns };
  Object.assign(stderr, terminal);
  onTestFinished(() => void Object.assign(stderr, before));
  const write = vi.spyOn(stderr, 'write').mockReturnValue(true);
  sayShort(message);
  const text = write.mock.calls.map(([line]) => String(line)).join('');
  write.mockRestore();
  return text;
}

it('a short line takes one row of a terminal, and is whole elsewhere', () => {
  const message = `${'x'.repeat(20)}\u{1f600}\n${'y'.repeat(500)}`;
  for (const columns of [33, 34, 35, 36]) {
    const line = written(message, { isTTY: true, columns });
    expect(line).toMatch(/^fanfold: x{20}.*\u2026\n$/u);
    expect(line.length).toBeLessThanOrEqual(columns);
    expect(line.isWellFormed()).toBe(true);
  }
  expect(written('short', { isTTY: true, columns: 40 })).toBe('fanfold: short\n');
  expect(written(message, { isTTY: false, columns: 40 })).toContain(`\\n${'y'.repeat(500)}`);
});
