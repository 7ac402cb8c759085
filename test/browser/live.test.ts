import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { start } from '../cli/command.ts';
import { barriers, faultsOf, frameMs, HOSTILE, largeReport, launched } from './browser.ts';
import { FakeUi, later, liveRun, TOKEN } from './fake-ui.ts';

let browser: Browser;
let server: FakeUi;
let address: string;
beforeAll(async () => {
  browser = await launched();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  server = new FakeUi();
  address = await server.listen();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await server.close();
});

async function opened(fragment = '&run=r1', options: BrowserContextOptions = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const faults = faultsOf(page);
  await page.goto(`${address}#token=${TOKEN}${fragment}`);
  return { page, faults };
}

function widthOf(page: Page): Promise<unknown> {
  return page.evaluate('document.documentElement.scrollWidth');
}

const badge = (page: Page) => page.locator('.state').innerText();

it.each(['light', 'dark'] as const)(
  'shows a run to everybody, in the %s scheme',
  async (colorScheme) => {
    const { page, faults } = await opened('&run=r1', { colorScheme });
    await page.getByRole('heading', { name: 'Run of large' }).waitFor();
    // The token is neither in the address nor in the history.
    expect(page.url()).toBe(`${address}#run=r1`);
    const tiles = await page.locator('.tiles').innerText();
    expect(tiles).toMatch(/Done\s+1,000,000\s+of 2,000,000 inputs/);
    expect(tiles).toMatch(/Rate\s+9,870\/s/);
    expect(tiles).toMatch(/Time left\s+1 min 41 s/);
    expect(tiles).toMatch(/Cost\s+\$1.23\s+so far; about \$2.47 in all/);
    expect(await page.locator('.limit').innerText()).toContain('40 chunks wait');
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('link', { name: '12', exact: true }).click();
    await page.getByRole('dialog', { name: 'Input 12' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(faults).toEqual([]);
  },
);

it('keeps zoom, scroll, focus and what is open while snapshots arrive, at 30 frames a second', async () => {
  const run = liveRun(largeReport());
  server.run = run;
  const { page, faults } = await opened();
  const timeline = page.getByRole('region', { name: 'Timeline' });
  await page.getByRole('button', { name: 'Zoom in' }).click();
  const shown = await page.locator('.ends').first().innerText();
  const field = page.getByRole('textbox', { name: 'Input' });
  await field.fill('12');
  // Marks the elements: one that is drawn anew has no mark.
  await page.evaluate(`for (const element of document.querySelectorAll('canvas, section, table'))
    element.dataset.mark = 'kept'`);
  let ms = 0;
  const next = () => {
    ms += 1_000;
    server.show({ report: later(run, ms) });
  };
  const snapshots = setInterval(next, 500);
  try {
    expect(await frameMs(page)).toBeLessThan(33);
    const tiles = page.locator('.tiles');
    await expect.poll(() => tiles.innerText(), { timeout: 10_000 }).toMatch(/1,00[1-9],/);
  } finally {
    clearInterval(snapshots);
  }
  expect(await timeline.evaluate((element) => element.scrollTop)).toBe(4_900);
  expect(await page.locator('.ends').first().innerText()).toBe(shown);
  expect(await field.inputValue()).toBe('12');
  expect(await page.evaluate('document.activeElement.name')).toBe('index');
  expect(await page.locator(':is(canvas, section, table):not([data-mark])').count()).toBe(0);
  expect(faults).toEqual([]);
});

it('shows a sample with its error, its causes and its log, all of it as text, and finds an input', async () => {
  const failures = [
    { code: 'TaskFailed', message: `Error: ${HOSTILE}`, count: 7, indexes: [3, 44] },
  ];
  const data = { ...largeReport(1_000), task: HOSTILE, missing: [HOSTILE] };
  server.run = liveRun({ ...data, statistics: { ...data.statistics, failures } });
  server.run.because = HOSTILE;
  server.detail = {
    ...{ status: 'failed', input: HOSTILE, output: HOSTILE, worker: HOSTILE, attempts: 3, ms: 12 },
    error: JSON.stringify({
      ...{ code: 'TaskFailed', name: 'Error', message: HOSTILE, stack: `at ${HOSTILE}` },
      cause: { name: 'TypeError', message: 'fetch failed', cause: { name: 'E', message: HOSTILE } },
    }),
    log: [{ time: '12:00:01', level: 'error', text: HOSTILE }],
    logLink: 'javascript:document.title="broken"',
  };
  const { page, faults } = await opened();
  await page.getByRole('link', { name: '44' }).click();
  const sample = page.getByRole('dialog', { name: 'Input 44' });
  await sample.getByText('TypeError: fetch failed').waitFor();
  expect(await sample.getByText(HOSTILE).count()).toBeGreaterThan(5);
  expect(await sample.getByRole('heading', { name: 'Caused by' }).count()).toBe(2);
  await page.keyboard.press('Escape');
  await sample.waitFor({ state: 'detached' });
  // The focus is where it was.
  expect(await page.evaluate('document.activeElement.textContent')).toBe('44');
  expect(await page.locator('img, a[href^=javascript], body > :not(div, script)').count()).toBe(0);
  expect(await page.title()).toContain('</script>');

  const field = page.getByRole('textbox', { name: 'Input' });
  await field.fill('many');
  await page.keyboard.press('Enter');
  await page.getByText('An index is a whole number from 0 to 1,999,999.').waitFor();
  await field.fill('1,234');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Input 1,234' }).getByText('kept for a day').waitFor();
  expect(page.url()).toContain('#run=r1&input=1234');
  expect(faults).toEqual([]);
});

it('heals a connection that was lost, and asks for the token when the server is a new one', async () => {
  const { page } = await opened();
  await page.getByRole('heading', { name: 'Run of large' }).waitFor();
  await server.close();
  await page.getByText('Disconnected. The numbers').waitFor();
  expect(await page.getByRole('status').first().innerText()).toBe('Disconnected.');
  const port = Number(new URL(address).port);
  server = new FakeUi();
  server.run = { ...liveRun(), state: 'paused', because: 'It was paused.' };
  await server.listen(port);
  await page.getByText('Disconnected. The numbers').waitFor({ state: 'detached' });
  await expect.poll(() => badge(page)).toBe('Paused');

  server.lock();
  const field = page.getByLabel('Token or secret');
  await field.fill('a guess');
  await page.keyboard.press('Enter');
  await page.getByText('This token is wrong.').waitFor();
  expect(await barriers(page)).toEqual([]);
  await field.fill(`${address}#token=${TOKEN}`);
  await page.keyboard.press('Enter');
  await expect.poll(() => badge(page)).toBe('Paused');
});

it('pauses, changes bounds with what the server says of them, and cancels once confirmed', async () => {
  const { page, faults } = await opened();
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect.poll(() => server.asked).toEqual(['pause {}']);
  server.show({ state: 'paused', because: 'It was paused.' });
  await page.getByRole('button', { name: 'Unpause' }).click();
  await expect.poll(() => server.asked.at(-1)).toBe('unpause {}');

  await page.getByRole('button', { name: 'Change bounds…' }).click();
  const bounds = page.getByRole('dialog', { name: 'Change bounds' });
  await bounds.getByLabel('Rate').fill('fast');
  server.refusal = 'The rate must be such as 100/s, not fast.';
  await page.keyboard.press('Enter');
  await bounds.getByText(server.refusal).waitFor();
  expect(await barriers(page)).toEqual([]);
  server.refusal = undefined;
  await bounds.getByLabel('Rate').fill('');
  await bounds.getByLabel('Concurrency').fill('many');
  await page.keyboard.press('Enter');
  await bounds.waitFor({ state: 'detached' });
  expect(server.asked.at(-1)).toBe('set {"concurrency":"many"}');

  server.show({ failure: 'It could not be paused: SQS is away.' });
  await page.getByRole('alert').filter({ hasText: 'SQS is away.' }).waitFor();
  server.show({ failure: undefined });
  await page.getByText('SQS is away.').waitFor({ state: 'detached' });

  const cancel = page.getByRole('button', { name: 'Cancel run…' });
  await cancel.click();
  await page.getByText('1,000,000 of 2,000,000 inputs have no result yet').waitFor();
  await page.keyboard.press('Escape');
  expect(server.asked.some((what) => what.startsWith('cancel'))).toBe(false);
  await cancel.click();
  await page.getByRole('button', { name: 'Cancel run', exact: true }).click();
  await expect.poll(() => server.asked.at(-1)).toBe('cancel {}');
  server.show({ state: 'ended', because: 'It was cancelled.', can: ['inputs'], limit: undefined });
  await expect.poll(() => badge(page)).toBe('Ended early');
  expect(await page.getByRole('status').first().innerText()).toBe('The run: Ended early.');
  expect(await page.locator('.controls button').count()).toBe(0);
  expect(faults.filter((fault) => !fault.includes('400'))).toEqual([]);
});

it('lists runs on a phone, where nothing is wider than the screen', async () => {
  const { page } = await opened('', { viewport: { width: 390, height: 800 } });
  await page.getByRole('heading', { name: 'No runs yet' }).waitFor();
  const about = { task: 'large'.repeat(30), createdAt: Date.now(), state: 'running' as const };
  const counts = { ok: 10, failed: 2, cancelled: 0, inputs: 100, isSealed: true };
  server.runs = ['r1', 'r2'].map((runId) => ({ runId, ...about, ...counts }));
  await page.getByRole('link', { name: /12 of 100 inputs done, 2 failed r2/ }).waitFor();
  expect(await widthOf(page)).toBe(390);
  expect(await barriers(page)).toEqual([]);
  await page.getByRole('link', { name: /r1/ }).click();
  await page.getByRole('heading', { name: 'The last inputs' }).waitFor();
  expect(await widthOf(page)).toBe(390);
  await page.getByRole('link', { name: '12', exact: true }).click();
  await page.getByRole('dialog', { name: 'Input 12' }).waitFor();
  expect(await widthOf(page)).toBe(390);
  await page.goto(`${address}#run=r2`);
  server.run = undefined;
  await page.reload();
  await page.getByText('There is no run r1.').waitFor();
});

/** The first worker process of a command. */
function workerOf(pid: number | undefined): number {
  const processes = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', `${pid}`], {
    encoding: 'utf8',
  });
  return Number(/^ *(\d+) .*processes\/child/m.exec(processes)?.[1]);
}

it('follows 5,000 inputs with failures over the death of a worker, and cancels them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fanfold-live-'));
  const [input, output] = [join(folder, 'inputs.jsonl'), join(folder, 'results.jsonl')];
  const seconds = (index: number) => (index % 50 === 7 ? -1 : 0.01);
  const lines = Array.from({ length: 5_000 }, (_, index) => `{"seconds":${seconds(index)}}\n`);
  writeFileSync(input, lines.join(''));
  const files = ['--input', input, '--output', output, '--with-input'];
  const run = start(['run', 'sleep', ...files, '--workers', '2', '--ui', '--quiet']);
  try {
    await expect.poll(run.said, { timeout: 20_000 }).toMatch(/#token=/);
    const page = await (await browser.newContext()).newPage();
    const faults = faultsOf(page);
    await page.goto(/http\S+/.exec(run.said())?.[0] ?? '');
    // It is the only run.
    await page.getByRole('heading', { name: 'Run of sleep' }).waitFor();
    const done = async () =>
      Number((await page.locator('.tiles strong').first().innerText()).replace(/,/g, ''));
    await expect.poll(done, { timeout: 20_000 }).toBeGreaterThan(100);
    process.kill(workerOf(run.child.pid), 'SIGKILL');
    const atDeath = await done();
    await expect.poll(done, { timeout: 30_000 }).toBeGreaterThan(atDeath + 100);
    await page.getByRole('heading', { name: 'Timeline' }).waitFor();

    await page.getByRole('link', { name: '57', exact: true }).click();
    const sample = page.getByRole('dialog', { name: 'Input 57' });
    await sample.getByText('`seconds` must be a number').waitFor();
    await sample.getByText('"seconds": -1').waitFor();
    await page.keyboard.press('Escape');
    expect(await barriers(page)).toEqual([]);

    await page.getByRole('button', { name: 'Cancel run…' }).click();
    await page.getByRole('button', { name: 'Cancel run', exact: true }).click();
    await expect.poll(() => badge(page), { timeout: 20_000 }).toBe('Ended early');
    expect(await page.locator('.notice').innerText()).toContain('it was cancelled');
    const keys = await page.locator('.keys').innerText();
    const { status, stdout } = await run.ended;
    expect([status, stdout]).toEqual([1, '']);
    const [ok, failed, cancelled] = ['ok', 'failed', 'cancelled'].map((name) =>
      Number(new RegExp(`([\\d,]+) ${name}`).exec(keys)?.[1]?.replace(/,/g, '')),
    );
    expect(Number(ok) + Number(failed) + Number(cancelled)).toBe(5_000);
    expect(Number(cancelled)).toBeGreaterThan(0);
    // What was shown stays, also without a server.
    expect(await page.getByText('Disconnected').count()).toBe(0);
    expect(faults).toEqual([]);
  } finally {
    run.child.kill('SIGKILL');
    await run.ended;
    rmSync(folder, { recursive: true });
  }
});
