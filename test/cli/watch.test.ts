import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { redrawn, watch } from '../../src/cli/watch.ts';

let said = '';
let printed = '';
beforeEach(() => {
  said = '';
  printed = '';
  vi.useFakeTimers();
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += text;
    return true;
  });
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function watched(look: () => Promise<number | undefined>) {
  const shown: number[] = [];
  const stop = new AbortController();
  const ended = watch<number>({
    ...{ look, show: (seen: number) => shown.push(seen), isLast: (seen) => seen === 9 },
    ...{ place: 'endpoint http://one', signal: stop.signal },
  });
  ended.catch(() => {});
  return { shown, stop, ended };
}

it.each([undefined, 9])('looks every 2 s until a look is %s', async (last) => {
  let looks = 0;
  const { shown, ended } = watched(async () => (++looks > 3 ? last : looks));
  await vi.advanceTimersByTimeAsync(3_900);
  expect(shown).toEqual([1, 2]);
  await vi.advanceTimersByTimeAsync(10_000);
  await ended;
  expect(looks).toBe(4);
});

it('waits for a server that does not respond, and reports that once', async () => {
  const look = vi.fn(async (): Promise<number> => 1);
  const { shown, stop, ended } = watched(look);
  await vi.advanceTimersByTimeAsync(0);
  look.mockRejectedValue(Object.assign(new Error(), { code: 'ECONNREFUSED' }));
  await vi.advanceTimersByTimeAsync(8_000);
  look.mockResolvedValue(2);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(said.match(/does not respond \(ECONNREFUSED\)/g)).toHaveLength(1);
  expect(said).toMatch(/responds again\n$/);
  expect(shown).toEqual([1, 2]);
  look.mockRejectedValue(Object.assign(new Error(), { $metadata: { httpStatusCode: 403 } }));
  await vi.advanceTimersByTimeAsync(2_000);
  await expect(ended).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
  stop.abort();
});

it('a signal ends it during a pause and during a look', async () => {
  const reason = new Error('stopped');
  const pausing = watched(async () => 1);
  await vi.advanceTimersByTimeAsync(100);
  pausing.stop.abort(reason);
  await expect(pausing.ended).rejects.toBe(reason);
  const gate = Promise.withResolvers<number>();
  const looking = watched(() => gate.promise);
  looking.stop.abort(reason);
  gate.resolve(1);
  await expect(looking.ended).rejects.toBe(reason);
  expect(looking.shown).toEqual([]);
});

it('lines are redrawn in place, and foreign text cannot wrap or control the terminal', () => {
  const draw = redrawn();
  draw(['one', `\u001b[2J${'x'.repeat(500)}`]);
  draw(['two']);
  const [first = '', second = ''] = printed.split('\u001b[2A');
  expect(first.split('\n').map((line) => line.length)).toEqual([3, 79, 0]);
  expect(first).not.toContain('\u001b');
  expect(second).toBe('\r\u001b[Jtwo\n');
});
