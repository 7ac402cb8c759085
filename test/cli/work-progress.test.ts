import { afterEach, expect, it, vi } from 'vitest';
import { showWork } from '../../src/cli/work-progress.ts';
import type { Work } from '../../src/index.ts';

afterEach(() => {
  vi.restoreAllMocks();
  Reflect.deleteProperty(process.stderr, 'isTTY');
});

const work: Work = {
  place: 'http://127.0.0.1:9324',
  ...{ tasks: ['echo'], workers: 2, done: { ok: 3, failed: 1, attempts: 6 }, left: 7 },
  ended: new Promise(() => {}),
  close: async () => {},
  [Symbol.asyncDispose]: async () => {},
};

/** The lines of a terminal after all output has been written. */
function shownOf(texts: readonly string[]): string[] {
  return texts
    .join('')
    .split('\n')
    .map((line) => line.slice(line.lastIndexOf('\u001b[K') + 1).replace('[K', ''));
}

it('the progress line on a terminal is removed by stop(), whatever is printed afterwards', () => {
  Object.defineProperty(process.stderr, 'isTTY', { value: true, configurable: true });
  const written: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  const shown = showWork(work);
  shown.say('one');
  expect(shownOf(written)).toEqual([
    'fanfold: one',
    '4 inputs done (1 failed) in 6 attempts, 0.0/s, 7 chunks left',
  ]);
  shown.stop();
  shown.say('an input that was in hand');
  expect(shownOf(written)).toEqual(['fanfold: one', 'fanfold: an input that was in hand', '']);
});
