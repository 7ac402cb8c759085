// `npm run pictures`: records the README's first command at a terminal, and takes pictures of a run's
// pages in a browser. It needs util-linux's `script`, which macOS and the BSDs have with other options,
// and Chromium (at /usr/bin/chromium, or where CHROMIUM says).
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { firstCommand, PICTURE } from './pictures/first-command.ts';
import { takePages } from './pictures/pages.ts';
import { record } from './pictures/record.ts';
import { toSvg } from './pictures/svg.ts';

const ROOT = join(import.meta.dirname, '..');
const SIZE = { columns: 98, rows: 11 };

const command = firstCommand(readFileSync(join(ROOT, 'README.md'), 'utf8'));
const frames = await record(command, ROOT, SIZE);
const shown = frames.flatMap(({ rows }) => rows).join('\n');
const secret = [ROOT, homedir(), hostname()].find((name) => shown.includes(name));
if (secret !== undefined)
  throw new Error(`The picture would show a name of this machine: ${secret}.`);
const file = join(ROOT, PICTURE);
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, toSvg(command, frames, SIZE));
console.log(`${PICTURE}: ${frames.length} frames`);
await takePages(ROOT);
