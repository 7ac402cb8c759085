import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { REPOSITORY, results, start } from './command.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'fanfold-older-node-')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
function file(name: string, text: string): string {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

/** Node 24 that reports an older version; the Node that it starts does not. */
const pretending = [
  process.execPath,
  '--import',
  file(
    'pretend.mjs',
    `if (process.env.FANFOLD_LAUNCHED === undefined) {
       const versions = { ...process.versions, node: '20.20.2' };
       Object.defineProperty(process, 'versions', { value: versions });
     }`,
  ),
];
const installed = ['/usr/bin/node', '/usr/local/bin/node'].filter(
  (node) => existsSync(node) && !/^v(2[4-9]|[3-9]\d)/.test(execFileSync(node, ['-v']).toString()),
);

const TASKS = file(
  'tasks.ts',
  `import { defineTask } from '${REPOSITORY}/src/index.ts';
   export const kill = defineTask({ name: 'kill', run: () => process.kill(process.ppid, 'SIGKILL') });`,
);

/** A run that lasts until it is stopped, at its first result. */
async function started(node: readonly string[], detached = false) {
  const inputs = '{"seconds":0}\n{"seconds":50}\n';
  const args = ['run', 'sleep', '--input', '-', '--workers', '1'];
  const command = start(args, { node, detached });
  command.child.stdin?.write(inputs);
  let printed = '';
  command.child.stdout?.on('data', (data) => {
    printed += data;
  });
  await expect.poll(() => printed, { timeout: 20_000 }).toContain('"status":"ok"');
  return command;
}

const INTERRUPTED = 'interrupted: 1 of 2 inputs read so far are done (1 ok, 0 failed)';

describe.each([pretending, ...installed.map((node) => [node])].map((node) => ({ node })))(
  'an older Node, $node',
  ({ node }) => {
    it('runs the command with the Node of the `node` package', async () => {
      const { child, ended } = start(['run', 'echo', '--input', '-', '--ordered'], { node });
      child.stdin?.end('1\n"two"\n');
      const { status, stdout, stderr } = await ended;
      expect(results(stdout).map(({ output }) => output)).toEqual([1, 'two']);
      expect(stderr).toContain('2 inputs = 2 ok');
      expect(status).toBe(0);
    });

    it('ends with the command’s exit status', async () => {
      const { child, ended } = start(['run', 'echo', '--range', 'nope'], { node });
      child.stdin?.end();
      const { status, stderr } = await ended;
      expect(stderr).toContain('"nope" is neither');
      expect(status).toBe(2);
    });

    it.each([
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['SIGHUP', 129],
    ] as const)('passes %s on, and exits after the command', async (signal, code) => {
      const { child, ended } = await started(node);
      child.kill(signal);
      const { status, stderr } = await ended;
      expect(stderr).toContain(INTERRUPTED);
      expect(status).toBe(code);
    });

    it('lets the command end in order on Ctrl-C at a terminal, which reaches both processes', async () => {
      const { child, ended } = await started(node, true);
      process.kill(-(child.pid ?? 0), 'SIGINT');
      const { status, stderr } = await ended;
      expect(stderr).toContain(INTERRUPTED);
      expect(status).toBe(130);
    });

    it('leaves nothing running when it is killed', async () => {
      const { child, ended } = await started(node);
      child.kill('SIGKILL');
      // Once its output is closed, all processes that could write to it have ended.
      const { stderr } = await ended;
      expect(stderr).toContain(INTERRUPTED);
    });

    it('ends with the signal that ended the command', async () => {
      const { child, ended } = start(['run', 'kill', '--range', '1', '--tasks', TASKS], { node });
      child.stdin?.end();
      expect((await ended).status).toBe(null);
      expect(child.signalCode).toBe('SIGKILL');
    });
  },
);

describe('the Node that the launcher starts', () => {
  // As if it were installed for all projects.
  cpSync(join(REPOSITORY, 'bin'), join(folder, 'global/bin'), { recursive: true });
  writeFileSync(join(folder, 'global/package.json'), '{"type":"module"}');

  const [node = '', ...options] = pretending;
  const bin = join(folder, 'global/bin/fanfold.js');
  /** A project with a package `node`, whose program is the test's. */
  const project = (name: string, version: string, program?: string) => {
    const manifest = JSON.stringify({ version, bin: { node: 'bin/node' } });
    file(`${name}/node_modules/node/package.json`, manifest);
    if (program !== undefined) {
      chmodSync(file(`${name}/node_modules/node/bin/node`, program), 0o755);
    }
    return join(folder, name);
  };
  const called = (cwd: string) =>
    promisify(execFile)(node, [...options, bin, 'tasks', '--tasks', 'a b'], { cwd }).then(
      ({ stdout }) => ({ code: 0, stdout, stderr: '' }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
  const SAYS = '#!/bin/sh\necho "$@"\n';

  it('is the nearest one in or above the current folder', async () => {
    const inner = join(project('outer', '24.21.0', SAYS), 'inner');
    mkdirSync(inner);
    expect(await called(inner)).toMatchObject({
      code: 0,
      stdout: `${options.join(' ')} ${bin} tasks --tasks a b\n`,
    });
  });

  it('is never one that is too old', async () => {
    project('newer', '26.0.0', SAYS);
    expect((await called(project('newer/older', '22.1.0', SAYS))).stdout).toContain('tasks');
  });

  it('is named in the error if there is none', async () => {
    expect(await called(project('old', '22.1.0', SAYS))).toMatchObject({
      code: 2,
      stderr:
        'fanfold: fanfold needs Node 24 or later; this is Node 20.20.2. To install one next to your packages, where fanfold finds it: npm install --save-dev node@24\n',
    });
  });

  it('has a remedy if its package has no program', async () => {
    const { code, stderr } = await called(project('empty', '24.21.0'));
    expect(stderr).toContain('empty/node_modules/node/bin/node: its install script has not run');
    expect(stderr).toContain('`npm rebuild node` runs it');
    expect(code).toBe(2);
  });

  it('has a reason if it cannot be started', async () => {
    const { code, stderr } = await called(project('broken', '24.21.0', '#!/nowhere\n'));
    expect(stderr).toMatch(/broken\/node_modules\/node\/bin\/node cannot be started: .*ENOENT/);
    expect(code).toBe(2);
  });

  it('does not start itself forever if it is older than its package says', async () => {
    const lie = 'Object.defineProperty(process, "versions", { value: { node: "20.20.2" } });';
    const program = `#!/bin/sh\nexec "${node}" --import ${file('lie.mjs', lie)} "$@"\n`;
    const lying = project('lying', '24.21.0', program);
    expect(await called(lying)).toMatchObject({ code: 2 });
  });

  it.each([
    ['the launcher alone', 1],
    ['both of them', -1],
  ])('receives a signal once that %s got', async (_, whom) => {
    const counts = `
      import { followLauncher } from ${JSON.stringify(join(folder, 'global/bin/newer-node.js'))};
      followLauncher();
      process.on('SIGINT', () => {
        console.log('heard');
        setTimeout(() => process.exit(), 500);
      });
      setInterval(() => {}, 1000);
      console.log('listens');`;
    const program = `#!/bin/sh\nexec "${process.execPath}" ${file('counts.mjs', counts)}\n`;
    const cwd = project('counting', '24.21.0', program);
    const child = spawn(node, [...options, bin], { cwd, detached: true });
    let printed = '';
    child.stdout.on('data', (data) => {
      printed += data;
    });
    await expect.poll(() => printed, { timeout: 20_000 }).toBe('listens\n');
    process.kill(whom * (child.pid ?? 0), 'SIGINT');
    await once(child, 'close');
    expect(printed).toBe('listens\nheard\n');
  });
});
