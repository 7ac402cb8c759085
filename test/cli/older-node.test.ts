import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { REPOSITORY } from './command.ts';

const folder = mkdtempSync(join(tmpdir(), 'fanfold-older-node-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The command, as npm links it. */
const bin = join(folder, 'fanfold');
symlinkSync(join(REPOSITORY, 'bin/fanfold.js'), bin);

/** An older Node, first in the PATH. */
const pretend = join(folder, 'pretend.mjs');
writeFileSync(
  pretend,
  `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });`,
);
const older = join(folder, 'node');
writeFileSync(older, `#!/bin/sh\nexec "${process.execPath}" --import "${pretend}" "$@"\n`, {
  mode: 0o755,
});

it('is told which Node is needed, and how to get and call it', () => {
  const { PATH = '' } = process.env;
  const env = { ...process.env, PATH: [folder, PATH].join(delimiter) };
  const { status, stderr } = spawnSync(bin, ['tasks'], { env, encoding: 'utf8' });
  expect(stderr).toMatch(/^fanfold: Node 24 or later is needed; this is 20\.20\.2\./);
  expect(stderr).toContain('npm install --save-dev node@24');
  expect(stderr).toContain('node_modules/.bin/node node_modules/.bin/fanfold');
  expect(status).toBe(2);
});

it('is refused by the package itself', () => {
  const { exports, engines } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));
  const entries = ['.', './sqs', './tasks'].map((entry) =>
    pathToFileURL(join(REPOSITORY, exports[entry].default)),
  );
  const importing = `for (const url of ${JSON.stringify(entries)})
    await import(url).catch(({ code, message }) => console.log(code, message));`;
  const line = ['--input-type=module', '--eval', importing];
  const { stdout } = spawnSync(older, line, { encoding: 'utf8' });
  const needed = engines.node.replace('>=', '');
  const said = `RunFailed Fanfold needs Node ${needed} or later; this is 20.20.2.`;
  const lines = stdout.trim().split('\n');
  expect(lines).toEqual(entries.map(() => expect.stringContaining(said)));
});

it('gives way to the project’s Node, which npx and npm scripts put first', () => {
  const PATH = [join(REPOSITORY, 'node_modules/.bin'), folder, process.env.PATH].join(delimiter);
  expect(execFileSync(bin, ['tasks'], { env: { ...process.env, PATH } }).toString()).toMatch(
    /^echo$/m,
  );
});
