import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { showProgress } from '../../src/cli/progress.ts';
import type { Ledger, RunSettings } from '../../src/index.ts';

const FREE = {
  ...{
    concurrency: undefined,
    rate: undefined,
    pausedAt: undefined,
    outage: undefined,
    expiresAt: undefined,
  },
};

let written = '';
beforeEach(() => {
  written = '';
  vi.useFakeTimers();
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  vi.unstubAllEnvs();
  Reflect.deleteProperty(process.stderr, 'isTTY');
});

function running(total: number | undefined) {
  const ledger = { ...{ inputs: 0, ok: 0, failed: 0, cancelled: 0 }, duplicates: 0, sealed: false };
  const outage: { awaited: string | undefined } = { awaited: undefined };
  const settings: { now: RunSettings } = { now: FREE };
  const facts = { total, workers: undefined, awaited: () => outage.awaited };
  const all = { ...facts, settings: () => settings.now };
  const { stop } = showProgress((): Ledger => ledger, all, false);
  return { ledger, outage, settings, stop };
}

it('during an outage the bar says what the run waits for instead of rate and ETA', () => {
  vi.stubEnv('TERM', 'xterm');
  Object.defineProperty(process.stderr, 'isTTY', { value: true, configurable: true });
  for (const total of [100, undefined]) {
    const { ledger, outage, stop } = running(total);
    ledger.ok = 10;
    outage.awaited = 'the server';
    written = '';
    vi.advanceTimersByTime(200);
    expect(written).toMatch(/waiting for the server \| (10% \| 10\/100|10 done) \| 0 failed$/);
    outage.awaited = undefined;
    written = '';
    vi.advanceTimersByTime(200);
    expect(written).not.toContain('waiting');
    expect(written).toMatch(/\d\/s$/);
    stop();
  }
});

it('without a terminal, the rate and the ETA in lines are recent', () => {
  const { ledger, outage, stop } = running(1_000);
  const second = (more: number) => {
    ledger.ok += more;
    vi.advanceTimersByTime(1_000);
  };
  for (let n = 0; n < 60; n++) second(10);
  expect(written).toMatch(/600 of 1000 done, (9|10)(\.\d)?\/s, 0 failed, ETA 4\d s\n$/);
  for (let n = 0; n < 60; n++) second(1);
  expect(written).toMatch(/660 of 1000 done, 1\.\d\/s, 0 failed, ETA 5 min \d+ s\n$/);
  outage.awaited = 'the server';
  vi.advanceTimersByTime(5_000);
  expect(written).toMatch(/660 of 1000 done, waiting for the server, 0 failed\n$/);
  stop();
});

it('a paused run has no rate and no ETA, and the pause does not count in later ones', () => {
  const { ledger, settings, stop } = running(1_000);
  const seconds = (most: number, each: number) => {
    for (let n = 0; n < most; n++) {
      ledger.ok += each;
      vi.advanceTimersByTime(1_000);
    }
  };
  seconds(50, 10);
  settings.now = { ...FREE, rate: '10/s', pausedAt: 1 };
  written = '';
  seconds(3_600, 0);
  expect(new Set(written.trim().split('\n'))).toEqual(
    new Set(['fanfold: 500 of 1000 done, paused, 0 failed, at most 10/s']),
  );
  settings.now = { ...FREE, rate: '10/s', outage: { since: 1, reason: '' } };
  written = '';
  seconds(60, 0);
  expect(written).toContain('500 of 1000 done, paused itself, tries single inputs, 0 failed');
  settings.now = { ...FREE, rate: '10/s' };
  seconds(10, 10);
  expect(written).toMatch(
    /600 of 1000 done, (9|10)(\.\d)?\/s, 0 failed, ETA 4\d s, at most 10\/s\n$/,
  );
  stop();
});
