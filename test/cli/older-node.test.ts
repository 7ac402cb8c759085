import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { folderWith } from '../inputs/reading.ts';
import { REPOSITORY } from './command.ts';

const { path: folder, [Symbol.dispose]: remove } = folderWith({
  // Pretends to be an older Node.
  'older.mjs': `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });`,
  // Prints what it gets, and ends as told.
  'npm-cli.js': `console.log('npm', process.argv.slice(2).join(' '), process.env.npm_config_package); process.exit(Number(process.env.STATUS));`,
  'npx/package.json': '{"dependencies":{"fanfold":"file:../fanfold-0.1.0.tgz"}}',
});
afterAll(remove);

/** This copy of Fanfold, as npx installs it, without the repository's Node above it. */
const bin = join(folder, 'npx/node_modules/fanfold/bin/fanfold.js');
cpSync(join(REPOSITORY, 'bin'), dirname(bin), { recursive: true });
writeFileSync(join(dirname(bin), '../package.json'), '{"type":"module"}');
const project = join(folder, 'project');

beforeEach(() => {
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project);
});

function fanfold(args: string[], settings: NodeJS.ProcessEnv = {}): SpawnSyncReturns<string> {
  const { npm_execpath, npm_config_user_agent, ...env } = process.env;
  const line = ['--import', join(folder, 'older.mjs'), bin, ...args];
  return spawnSync(process.execPath, line, {
    cwd: project,
    env: { ...env, ...settings },
    encoding: 'utf8',
  });
}

/** Gives the project a package `node`, whose program prints its arguments. */
function addNode(version: string, program?: string): void {
  const own = join(project, 'node_modules/node');
  mkdirSync(join(own, 'bin'), { recursive: true });
  writeFileSync(join(own, 'package.json'), JSON.stringify({ version }));
  if (program !== undefined) writeFileSync(join(own, 'bin/node'), program, { mode: 0o755 });
}

describe('on an older Node', () => {
  it('continues on the one that the project has, with its exit status', () => {
    addNode('24.21.0', '#!/bin/sh\necho "$@"\nexit 3\n');
    const { status, stdout, stderr } = fanfold(['run', 'a task']);
    expect({ status, stdout, stderr }).toEqual({
      status: 3,
      stdout: `${bin} run a task\n`,
      stderr: '',
    });
  });

  it.each([
    ['npm/10.8.2 node/v20.20.2', 'npm install --save-dev node@24'],
    ['pnpm/12.0.0 npm/? node/v20.20.2', 'pnpm add -D node@24'],
  ])('names the package that brings one, for %s', (npm_config_user_agent, command) => {
    addNode('22.1.0', '');
    const { status, stderr } = fanfold(['tasks'], { npm_config_user_agent });
    expect(stderr).toMatch(/^fanfold: Node 24 or later is needed; this is 20\.20\.2\./);
    expect(stderr).toContain(command);
    expect(status).toBe(2);
  });

  it('says so where the install script of that package has not run', () => {
    addNode('24.21.0');
    const { status, stderr } = fanfold(['tasks']);
    expect(stderr).toMatch(/install script of the package `node` has not run.*npm rebuild node/);
    expect(status).toBe(2);
  });

  it('has npx bring one for init, which is not told of the packages of another call', () => {
    const npm_execpath = join(folder, 'npm-cli.js');
    const settings = { npm_execpath, npm_config_package: 'fanfold', STATUS: '0' };
    const { status, stdout } = fanfold(['init', '--cdk'], settings);
    expect(stdout).toBe(`npm exec --package=node@24 -- node ${bin} init --cdk undefined\n`);
    expect(status).toBe(0);
  });

  it.each([
    ['npx was not allowed to', { npm_execpath: join(folder, 'npm-cli.js'), STATUS: '1' }],
    ['npx is not there', {}],
  ])('names the command for init where %s', (_, settings) => {
    const { status, stderr } = fanfold(['init', '--cdk'], settings);
    const tarball = join(folder, 'fanfold-0.1.0.tgz');
    expect(stderr).toContain(`Run: npx -p node@24 -p ${tarball} fanfold init --cdk\n`);
    expect(status).toBe(2);
  });

  it('works with the real program', () => {
    mkdirSync(join(project, 'node_modules'));
    symlinkSync(join(REPOSITORY, 'node_modules/node'), join(project, 'node_modules/node'));
    const own = join(REPOSITORY, 'bin/fanfold.js');
    const line = ['--import', join(folder, 'older.mjs'), own, 'tasks'];
    const { stdout } = spawnSync(process.execPath, line, { cwd: project, encoding: 'utf8' });
    expect(stdout).toMatch(/^echo$/m);
  });
});

it('the package itself refuses an older Node', () => {
  const { exports, engines } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));
  const entries = ['.', './sqs', './tasks'].map((entry) =>
    pathToFileURL(join(REPOSITORY, exports[entry].default)),
  );
  const importing = `for (const url of ${JSON.stringify(entries)})
    await import(url).catch(({ code, message }) => console.log(code, message));`;
  const line = ['--import', join(folder, 'older.mjs'), '--input-type=module', '--eval', importing];
  const { stdout } = spawnSync(process.execPath, line, { encoding: 'utf8' });
  const needed = engines.node.replace('>=', '');
  const said = `RunFailed Fanfold needs Node ${needed} or later; this is 20.20.2.`;
  const lines = stdout.trim().split('\n');
  expect(lines).toEqual(entries.map(() => expect.stringContaining(said)));
});
