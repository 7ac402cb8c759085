import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { firstCommand, PICTURE } from '../../scripts/pictures/first-command.ts';
import { toSvg } from '../../scripts/pictures/svg.ts';
import { REPOSITORY } from '../cli/command.ts';
import { atTerminal } from '../cli/terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'fanfold-pictures-'));
afterAll(() => rmSync(folder, { recursive: true }));
const textOf = (path: string) => readFileSync(join(REPOSITORY, path), 'utf8');

const readme = textOf('README.md');
const picture = textOf(PICTURE);
/** `npm start` runs this script. */
const { start } = JSON.parse(textOf('package.json')).scripts as { start: string };

/** The rows of each frame. */
function framesOf(svg: string): string[][] {
  const unescaped = (text: string) =>
    text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
  return Array.from(svg.matchAll(/^<g>(.*)<\/g>$/gm), ([, frame = '']) => {
    const rows: Record<string, string> = {};
    for (const [, y = '', text = ''] of frame.matchAll(/ y="([^"]+)"[^>]*>([^<]*)</g)) {
      rows[y] = (rows[y] ?? '') + unescaped(text);
    }
    return Object.values(rows);
  });
}

/** Text in which all numbers are the same. */
const masked = (text: string) => text.replaceAll(/\d[\d.]*/g, '#');
const frames = framesOf(picture);
const shown = new Set(frames.flat().map(masked));

// A failure of these two: run `npm run pictures`, and look at the picture.
describe('the README’s picture', () => {
  it('shows the README’s first command, below the first sentence', () => {
    const [, , sentence, , image] = readme.split('\n');
    expect(sentence).toMatch(/^Maps [^.]*\.$/);
    expect(image).toContain(`](${PICTURE})`);
    const command = firstCommand(readme);
    expect(command).toBe('npm start');
    expect(frames.at(-1)?.slice(0, 3)).toEqual([
      `$ ${command}`,
      expect.stringMatching(/^> fanfold@\S+ start$/),
      `> ${start}`,
    ]);
  });

  // Other systems have a `script` with other options.
  it.runIf(process.platform === 'linux')('shows what the command prints', async () => {
    mkdirSync(join(folder, 'node_modules'));
    for (const name of ['a', 'b', 'c']) writeFileSync(join(folder, 'node_modules', name), name);
    const line = start.replace('node bin/fanfold.js', 'fanfold');
    const ended = await atTerminal(`cd ${folder} && ${line} --workers 2`, 98).ended;
    expect(ended.status).toBe(0);
    // Which worker was slowest, if there were two, and in which units, differs each time.
    const about = /^fanfold: (durations|workers): /;
    expect(frames.at(-1)?.filter((text) => about.test(text))).toHaveLength(2);
    const others = ended.lines.filter((text) => !about.test(text));
    expect(others).toHaveLength(2);
    for (const text of others) expect(shown).toContain(masked(text));
    const bars = Array.from(ended.written.matchAll(/[█░]+ \d+% \|\P{Cc}*/gu), ([bar]) => bar);
    const barOf = (text: string) =>
      masked(text)
        .replace(/^[█░]+/, '')
        .replace(/ETA [^|]+/, 'ETA ');
    const shownBars = new Set(
      frames
        .flat()
        .filter((row) => /^[█░]/.test(row))
        .map(barOf),
    );
    expect(bars).not.toEqual([]);
    for (const bar of bars) expect(shownBars).toContain(barOf(bar));
  });

  it('is a self-contained file that moves only where it may', () => {
    expect(picture.length).toBeLessThan(150_000);
    expect(picture).not.toMatch(/<script|href=|url\(|@import|\bon\w+=/);
    expect(picture).toContain('prefers-reduced-motion');
    expect(picture).toContain('prefers-color-scheme:dark');
    expect(picture).toMatch(/ aria-labelledby="title desc"/);
  });
});

it('a picture keeps the letters of a row apart from its bar, and escapes them', () => {
  const rows = ['██░░ 50% | <1 & 2>', ''];
  const svg = toSvg('a < b', [{ at: 0, rows }], { columns: 20, rows: 2 });
  expect(framesOf(svg)).toEqual([['██░░ 50% | <1 & 2>']]);
  expect(svg).toContain('x="33.6"');
  expect(svg).toContain('<title id="title">a &lt; b</title>');
});
