import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { chromium, type Page } from 'playwright-core';

/** Pictures of a run's live page and of its report, by their files. */
export const PAGES = { live: 'docs/pictures/live.png', report: 'docs/pictures/report.png' };

const INPUTS = 3_000;
/** Inputs that are done in the picture of the live page. */
const SHOWN_AT = 1_800;

/** Takes pictures of a real run: of its live page while it goes on, and of its report. */
export async function takePages(root: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'fanfold-pictures-'));
  const report = join(folder, 'report.html');
  const files = ['--output', join(folder, 'results.jsonl'), '--report', report];
  const tasks = join(import.meta.dirname, 'photos.ts');
  const what = ['run', 'resize', '--range', String(INPUTS), '--workers', '4', '--tasks', tasks];
  const run = spawn(
    process.execPath,
    [join(root, 'src/cli/main.ts'), ...what, ...files, '--ui', '--quiet'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // As root, as in containers, Chromium starts only without its sandbox.
    args: ['--no-sandbox'],
  });
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const page = await context.newPage();
    await page.goto(await addressOf(run.stderr));
    const done = page.locator('.tiles strong').first();
    while (Number((await done.innerText()).replace(/,/g, '')) < SHOWN_AT) await setTimeout(200);
    await take(page, join(root, PAGES.live));
    const [code] = await once(run, 'exit');
    if (code !== 1) throw new Error(`Expected a run with some failures; it exited with ${code}.`);
    await page.goto(pathToFileURL(report).href);
    await page.getByRole('heading', { name: 'Failures' }).waitFor();
    await take(page, join(root, PAGES.report));
  } finally {
    await browser.close();
    run.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The address that the command prints. */
function addressOf(said: Readable): Promise<string> {
  return new Promise((found, failed) => {
    let text = '';
    said.on('data', (part: Buffer) => {
      text += part;
      const [address] = /http:\S+#token=\S+/.exec(text) ?? [];
      if (address !== undefined) found(address);
    });
    said.on('end', () => failed(new Error(`The run has no live page: ${text}`)));
  });
}

async function take(page: Page, path: string): Promise<void> {
  await page.screenshot({ path, fullPage: false, animations: 'disabled' });
}
