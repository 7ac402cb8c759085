import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect, defineTask } from '../../src/index.ts';
import { reportHtml } from '../../src/report/html.ts';
import type { ReportData } from '../../src/report/report-data.ts';
import { barriers, faultsOf, frameMs, HOSTILE, largeReport, launched } from './browser.ts';

let browser: Browser;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fanfold-report-'));
  browser = await launched();
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
  const faults = faultsOf(page);
  page.on('request', (request) => {
    if (request.url() !== pathToFileURL(path).href) faults.push(`requests ${request.url()}`);
  });
  await page.goto(pathToFileURL(path).href);
  return { page, faults };
}

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

it('finds an input, and opens what is known of one that failed', async () => {
  const inner = { name: 'Error', message: HOSTILE };
  const error = JSON.stringify({
    name: 'Error',
    message: 'outer',
    code: 'TaskFailed',
    cause: inner,
  });
  const log = [{ time: '2026-12-01T00:00:00Z', level: 'info', text: 'a log line' }];
  const sample = { index: 7, error, ms: 5, worker: 'w', attempts: 3, log };
  const data = { ...(await reportOfRun()), samples: [sample] };
  const { page, faults } = await opened({ ...data, inputs: [[7, '"the input"']] });
  const find = async (index: string) => {
    await page.getByPlaceholder('Index').fill(index);
    await page.keyboard.press('Enter');
  };
  await find('7');
  const found = page.getByRole('status');
  for (const text of ['outer', 'Caused by', HOSTILE, '"the input"', 'a log line', '3']) {
    await found.getByText(text).first().waitFor();
  }
  await find('8');
  await found.getByText('{"index":8,').waitFor();
  await find('1000');
  await found.getByText('There is no input 1,000').waitFor();
  await find('many');
  await page.getByRole('alert').filter({ hasText: 'from 0 to 999' }).waitFor();
  await page.locator('summary').filter({ hasText: '7' }).first().click();
  await page.getByRole('cell').getByText('a log line').waitFor();
  expect(await barriers(page)).toEqual([]);
  expect(faults).toEqual([]);
});

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
  // 30 frames a second.
  expect(await frameMs(page)).toBeLessThan(33);
  await timeline.hover({ position: { x: 300, y: 30 } });
  await expect.poll(() => page.locator('.hint').innerText()).toMatch(/^worker-\d+: /);
  expect(faults).toEqual([]);
});
