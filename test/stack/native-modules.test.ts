// @module-tag more
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nativeFiles } from '../../cdk/native-files.ts';
import { installNodeModules } from '../../cdk/node-modules.ts';
import { checkTasks } from '../../cdk/tasks-check.ts';
import { results } from '../cli/command.ts';
import { assetOf, PROGRAMS, run, synthesize } from './assembly.ts';
import { deploy } from './deployment/deployment.ts';
import { emptyStack } from './synthesis.ts';

const TASKS = `
import { defineTask } from 'fanfold';
import sharp from 'sharp';

export const shrink = defineTask({
  name: 'shrink',
  run: async (image: string) => {
    const { info } = await sharp(Buffer.from(image, 'base64')).resize(1).toBuffer({ resolveWithObject: true });
    return { width: info.width, arch: process.arch };
  },
});
`;

/** pnpm as its own package, which the registry has like any other. */
const PNPM = '#!/bin/sh\nexec npx --yes pnpm@10.34.9 "$@"\n';

/** A PNG of 2 by 2 pixels. */
const IMAGE =
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==';

const CPUS = { arm64: 'arm64', x86_64: 'x64' } as const;
type Architecture = keyof typeof CPUS;
const THIS_MACHINE: Architecture = process.arch === 'arm64' ? 'arm64' : 'x86_64';
const OTHER: Architecture = THIS_MACHINE === 'arm64' ? 'x86_64' : 'arm64';

const folder = mkdtempSync(join(tmpdir(), 'fanfold-native-'));
const project = join(folder, 'project');
const output = (architecture: Architecture) => join(folder, architecture);

function synth(architecture: Architecture, context: object = { nodeModules: 'sharp' }) {
  return synthesize(project, output(architecture), { tasks: 'tasks.ts', architecture, ...context });
}

const assetsOf = (architecture: Architecture) =>
  ['Fanfold-seed', 'Fanfold-worker'].map((name) => assetOf(output(architecture), 'Fanfold', name));

/** Warnings are in the assembly: the CDK's command line prints them. */
const warningsOf = (architecture: Architecture) =>
  readFileSync(join(output(architecture), 'Fanfold.metadata.json'), 'utf8');

beforeAll(() => {
  cpSync('test/fixtures/sharp', project, { recursive: true });
  // A user's own, for this machine.
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: project, stdio: 'pipe' });
  symlinkSync(process.cwd(), join(project, 'node_modules/fanfold'), 'dir');
  writeFileSync(join(project, 'tasks.ts'), TASKS);
});
afterAll(() => rmSync(folder, { recursive: true }));

// npm downloads some 20 MB, and the CDK bundles twice.
describe('a tasks module that imports sharp', { timeout: 180_000 }, () => {
  it('is refused where sharp is bundled, with the prop that installs it', async () => {
    const { status, stderr } = await synth(THIS_MACHINE, {});
    expect(status).toBe(1);
    expect(stderr).toContain('Could not load the "sharp" module');
    expect(stderr).toContain("bundling: { nodeModules: ['sharp'] }");
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it.each(['arm64', 'x86_64'] as const)('has the builds of %s functions', async (architecture) => {
    const { status, stderr } = await synth(architecture);
    expect(status, stderr).toBe(0);
    const { dependencies } = JSON.parse(readFileSync('test/fixtures/sharp/package.json', 'utf8'));
    for (const asset of assetsOf(architecture)) {
      const cpu = CPUS[architecture];
      expect(nativeFiles(asset)).toEqual([
        {
          path: `node_modules/@img/sharp-linux-${cpu}/lib/sharp-linux-${cpu}.node`,
          platform: { os: 'linux', cpu, libc: 'glibc' },
        },
      ]);
      const { version } = JSON.parse(
        readFileSync(join(asset, 'node_modules/sharp/package.json'), 'utf8'),
      );
      expect(version).toBe(dependencies.sharp);
    }
    if (architecture === THIS_MACHINE) {
      expect(warningsOf(architecture)).not.toMatch(/native files|is not checked/);
    } else {
      expect(warningsOf(architecture)).toContain(
        `The native files of @img/sharp-linux-${CPUS[OTHER]} are built for linux-${CPUS[OTHER]}`,
      );
    }
  });

  it('runs in the functions', async () => {
    await using stack = await deploy({ assembly: output(THIS_MACHINE), stack: 'Fanfold' });
    writeFileSync(join(folder, 'images.jsonl'), JSON.stringify(IMAGE));
    const line = ['run', 'shrink', '--input', 'images.jsonl', '--stack', 'Fanfold'];
    const { status, stdout, stderr } = await run(
      [join(PROGRAMS, 'node'), join(process.cwd(), 'bin/fanfold.js'), ...line],
      { cwd: folder, env: stack.env },
    );
    expect(status, stderr).toBe(0);
    expect(results(stdout)).toMatchObject([{ output: { width: 1, arch: process.arch } }]);
  });

  it('is refused with builds of another architecture', async () => {
    const [asset = ''] = assetsOf(OTHER);
    const target = { os: 'linux', cpu: CPUS[THIS_MACHINE], libc: 'glibc' };
    const checked = { path: 'tasks.ts', timeoutSeconds: 900, target, bundling: {} };
    const check = () => checkTasks(emptyStack(), [{ folder: asset, env: {}, later: [] }], checked);
    const [file] = nativeFiles(asset);
    expect(check).toThrow(
      `${file?.path}, in the functions' code, is built for linux-${CPUS[OTHER]}-glibc, and the functions run on linux-${CPUS[THIS_MACHINE]}-glibc.`,
    );
    writeFileSync(join(asset, file?.path ?? ''), 'version https://git-lfs.github.com/spec/v1\n');
    expect(check).toThrow(`${file?.path}, in the functions' code, is not a native module`);
  });

  it('is installed as pnpm’s lockfile has it, too', () => {
    const workspace = join(folder, 'workspace');
    const path = process.env.PATH;
    const write = (file: string, text: string) => {
      mkdirSync(dirname(join(workspace, file)), { recursive: true });
      writeFileSync(join(workspace, file), text, { mode: 0o755 });
    };
    write('bin/pnpm', PNPM);
    write('pnpm-workspace.yaml', 'packages:\n  - photos\n');
    write('package.json', '{}');
    // sharp takes any newer one as well.
    write('photos/package.json', '{"dependencies":{"sharp":"^0.34.0","semver":"7.7.3"}}');
    process.env.PATH = [join(workspace, 'bin'), path].join(delimiter);
    try {
      execFileSync('pnpm', ['install', '--ignore-scripts'], { cwd: workspace, stdio: 'pipe' });
      const modules = installNodeModules(emptyStack(), {
        names: ['sharp'],
        from: join(workspace, 'photos/src'),
        target: { os: 'linux', cpu: CPUS[OTHER], libc: 'glibc' },
        environment: {},
      });
      expect(nativeFiles(modules).map(({ platform }) => platform)).toEqual([
        { os: 'linux', cpu: CPUS[OTHER], libc: 'glibc' },
      ]);
      const semver = join(modules, 'node_modules/semver/package.json');
      expect(JSON.parse(readFileSync(semver, 'utf8')).version).toBe('7.7.3');
      rmSync(modules, { recursive: true });
    } finally {
      process.env.PATH = path;
    }
  });
});
