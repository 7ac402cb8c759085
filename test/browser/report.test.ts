import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect, defineTask, RunLedger } from '../../src/index.ts';
import { reportHtml } from '../../src/report/html.ts';
import type { ReportData } from '../../src/report/report-data.ts';
import { Series } from '../../src/report/series.ts';
import { bucketOf, Sketch } from '../../src/report/sketch.ts';
import { statisticsOf } from '../../src/report/statistics.ts';
import { Workers } from '../../src/report/workers.ts';

const HOSTILE =
  '</script><script>document.title="broken"</script><img src=x onerror="document.title=\'broken\'">';

let browser: Browser;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fanfold-report-'));
  // As root, as in containers, Chromium starts only without its sandbox.
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

/** Opens a report from the disk, and fails at any request or error of the page. */
async function opened(data: ReportData, options = {}): Promise<{ page: Page; faults: string[] }> {
  const path = join(folder, `${crypto.randomUUID()}.html`);
  writeFileSync(path, await reportHtml(data));
  const context = await browser.newContext({ offline: true, ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('request', (request) => {
    if (request.url() !== pathToFileURL(path).href) faults.push(`requests ${request.url()}`);
  });
  await page.goto(pathToFileURL(path).href);
  return { page, faults };
}

/** What axe finds that keeps people from reading the page. */
async function barriers(page: Page): Promise<string[]> {
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

const failing = defineTask({
  ...{ name: 'failing', concurrency: 20, maxAttempts: 1 },
  async run(n: number) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (n % 100 === 7) throw new Error(`${HOSTILE} in input ${n}`);
    return n;
  },
});

async function reportOfRun(): Promise<ReportData> {
  await using fanfold = await connect({ workers: 2 });
  const inputs = Array.from({ length: 1_000 }, (_, n) => n);
  const run = fanfold.map(failing, inputs);
  for await (const _ of run);
  const about = { runId: run.runId, place: undefined, cause: undefined, missing: [HOSTILE] };
  return { task: HOSTILE, ...about, statistics: run.statistics() };
}

/** The report of a million inputs on a thousand workers. */
function largeReport(): ReportData {
  const startedAt = Date.parse('2026-01-01T12:00:00Z');
  const [durations, series, workers] = [new Sketch(), new Series(), new Workers()];
  const ledger = new RunLedger();
  ledger.expect(1_000_000);
  for (let at = 0; at < 100_000; at++) {
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

it.each(['light', 'dark'] as const)(
  'shows a run without the network, in the %s scheme, to everybody',
  async (colorScheme) => {
    const { page, faults } = await opened(await reportOfRun(), { colorScheme });
    await page.getByRole('heading', { name: 'Throughput' }).waitFor();
    const tiles = await page.locator('dl').innerText();
    expect(tiles).toMatch(/Inputs\s+1,000\s+Ok\s+990\s+99.0 %\s+Failed\s+10\s+1.0 %/);
    // What a task threw is text.
    expect(await page.getByRole('cell', { name: '<img src=x' }).count()).toBe(1);
    expect(await page.title()).toContain('</script>');
    expect(await page.locator('img, main script').count()).toBe(0);
    expect(await barriers(page)).toEqual([]);
    expect(faults).toEqual([]);
  },
);

it('fits a phone', async () => {
  const { page } = await opened(await reportOfRun(), { viewport: { width: 375, height: 700 } });
  await page.getByRole('heading', { name: 'Failures' }).waitFor();
  const width = await page.evaluate('document.documentElement.scrollWidth');
  expect(width).toBe(375);
});

it('shows a thousand workers and a million inputs, in under 2 MB, and scrolls through them', async () => {
  const data = largeReport();
  const { page, faults } = await opened(data);
  const [name] = page.url().split('/').slice(-1);
  expect(statSync(join(folder, name ?? '')).size).toBeLessThan(2_000_000);
  const timeline = page.getByRole('region', { name: 'Timeline' });
  await page.getByRole('button', { name: 'Zoom in' }).click();
  // The work of each frame, without the waits of a machine that has other things to do.
  const framesMs = await page.evaluate<number[]>(SCROLL);
  // 30 frames a second. The median: a shared machine holds some frames up.
  const medianMs = framesMs.toSorted((one, other) => one - other)[framesMs.length / 2];
  expect(medianMs).toBeLessThan(33);
  await timeline.hover({ position: { x: 300, y: 30 } });
  await expect.poll(() => page.locator('.hint').innerText()).toMatch(/^worker-\d+: /);
  expect(faults).toEqual([]);
});
