import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { reportSilence } from '../../src/cli/quiet.ts';
import type { Connection, Target } from '../../src/cli/target.ts';
import type { Run } from '../../src/index.ts';

let said = '';
beforeEach(() => {
  said = '';
  vi.useFakeTimers();
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const BACKLOG = { waiting: 1, delayed: 0, inFlight: 1 };

/** A run on a server whose responses and results the test controls. */
function quietRun(target: Target = { kind: 'server', url: 'http://one' }) {
  const ledger = { ok: 0, failed: 0 };
  const backlog = vi.fn(async () => BACKLOG);
  const connection = { fanfold: { backlog }, target } as unknown as Connection;
  const report = reportSilence({ ledger, settings: {} } as Run, connection);
  return { ledger, backlog, awaited: () => report.awaited, stop: () => report.stop() };
}

it.each([
  ['refuses', () => Promise.reject(Object.assign(new Error(), { code: 'ECONNREFUSED' }))],
  [
    'holds its answer',
    () => new Promise<typeof BACKLOG>((resolve) => setTimeout(resolve, 7_500, BACKLOG)),
  ],
])('a server that %s is reported once within 2 s, and again when it responds', async (_, away) => {
  const { backlog, awaited, stop } = quietRun();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(said).toBe('');
  backlog.mockImplementation(away);
  await vi.advanceTimersByTimeAsync(1_000);
  expect([said, awaited()]).toEqual(['', undefined]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(awaited()).toBe('the server');
  expect(said).toMatch(/^fanfold: endpoint http:\/\/one does not respond.*: waiting for it\n$/);
  await vi.advanceTimersByTimeAsync(3_000);
  backlog.mockImplementation(async () => BACKLOG);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(said.match(/does not respond/g)).toHaveLength(1);
  expect(awaited()).toBeUndefined();
  expect(said).toMatch(/endpoint http:\/\/one responds again\n$/);
  stop();
});

it('results count as a response, and nothing is polled while they arrive', async () => {
  const { ledger, backlog, stop } = quietRun();
  backlog.mockImplementation(() => new Promise(() => {}));
  for (let tick = 0; tick < 80; tick++) {
    ledger.ok++;
    await vi.advanceTimersByTimeAsync(250);
  }
  expect([said, backlog.mock.calls.length]).toEqual(['', 0]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(said).toContain('does not respond');
  ledger.ok++;
  stop();
  expect(said).toContain('responds again');
});

it('a stack is polled every 5 s', async () => {
  const { backlog, stop } = quietRun({ kind: 'stack', stack: 'One' });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(said).toBe('');
  expect(backlog.mock.calls.length).toBeGreaterThanOrEqual(9);
  expect(backlog.mock.calls.length).toBeLessThanOrEqual(12);
  stop();
});

it('chunks that wait without a worker are reported once, after 5 s', async () => {
  const { backlog, stop } = quietRun();
  backlog.mockImplementation(async () => ({ ...BACKLOG, inFlight: 0 }));
  await vi.advanceTimersByTimeAsync(4_500);
  expect(said).toBe('');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(said).toContain('no worker receives them');
  await vi.advanceTimersByTimeAsync(20_000);
  expect(
    said.match(/no worker receives them; start a worker with `npx fanfold work --endpoint http:/g),
  ).toHaveLength(1);
  stop();
});
