import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { ReportData } from '../../src/report/report-data.ts';
import { Series } from '../../src/report/series.ts';
import { bucketOf, Sketch } from '../../src/report/sketch.ts';
import { statisticsOf } from '../../src/report/statistics.ts';
import { Workers } from '../../src/report/workers.ts';

export const HOSTILE =
  '</script><script>document.title="broken"</script><img src=x onerror="document.title=\'broken\'">';

/** Debian's Chromium. */
export function launched(): Promise<Browser> {
  // As root, as in containers, Chromium starts only without its sandbox.
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
}

/** The errors of a page's script, and what its policy blocks. */
export function faultsOf(page: Page): string[] {
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  return faults;
}

/** What axe finds that keeps people from reading the page. */
export async function barriers(page: Page): Promise<string[]> {
  // The page's policy lets no script in but its own; a browser's tools may.
  const session = await page.context().newCDPSession(page);
  const { result } = await session.send('Runtime.evaluate', {
    expression: `${axe.source}; axe.run().then(({ violations }) => violations
      .filter(({ impact }) => ['serious', 'critical'].includes(impact))
      .map(({ id, nodes }) => id + ' ' + nodes.map(({ html }) => html).join(' ')))`,
    awaitPromise: true,
    returnByValue: true,
  });
  return result.value as string[];
}

/** Scrolls through the timeline, and returns the milliseconds that each frame took. */
const SCROLL = `(async () => {
  const timeline = document.querySelector('[aria-label=Timeline]');
  const took = [];
  for (let top = 0; top < 5_000; top += 100) {
    timeline.scrollTop = top;
    await new Promise(requestAnimationFrame);
    const from = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 0));
    took.push(performance.now() - from);
  }
  return took;
})()`;

/**
 * Median of the milliseconds that the page works for a frame while the timeline is scrolled: without
 * the waits of a shared machine that has other things to do.
 */
export async function frameMs(page: Page): Promise<number> {
  const framesMs = await page.evaluate<number[]>(SCROLL);
  return framesMs.toSorted((one, other) => one - other)[framesMs.length / 2] ?? 0;
}

/**
 * The report of a million inputs on a thousand workers.
 *
 * @param chunks of which it has spans
 */
export function largeReport(chunks = 100_000): ReportData {
  const startedAt = Date.parse('2026-01-01T12:00:00Z');
  const [durations, series, workers] = [new Sketch(), new Series(), new Workers()];
  for (let at = 0; at < chunks; at++) {
    const from = startedAt + Math.floor(at / 1_000) * 1_000 + (at % 7) * 30;
    const to = from + 950;
    const counted = [[bucketOf(80 + (at % 13) * 10), 10]] as const;
    durations.merge(counted);
    series.add({ from, to, ok: 9, failed: 1, durations: counted });
    workers.add(`worker-${at % 1_000}`, { from, to, ok: 9, failed: at % 50 === 0 ? 1 : 0 }, 950);
  }
  const statistics = statisticsOf(
    { inputs: 1_000_000, ok: 900_000, failed: 100_000, cancelled: 0, sealed: true },
    { startedAt, at: startedAt + 101_000, durations, ranMs: 1e8, workers, failures: [], series },
  );
  const about = { runId: undefined, place: 'the stack Photos', cause: undefined, missing: [] };
  return { task: 'large', ...about, statistics };
}
