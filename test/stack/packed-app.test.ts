import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { results } from '../cli/command.ts';
import { install, pack, samplesOf } from '../package/packed.ts';
import { run, UNCHECKED } from './assembly.ts';
import { type Deployment, deploy } from './deployment/deployment.ts';

// A user's own app, as the README has it, in a project that has the packed package.
const root = mkdtempSync(join(tmpdir(), 'fanfold-packed-app-'));
const project = join(root, 'project');
let stack: Deployment;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), text);
}

beforeAll(async () => {
  install(pack(root), project);
  write('package.json', '{"type":"module","fanfold":{"tasks":"src/tasks.ts"}}');
  const samples = samplesOf('README.md');
  for (const path of ['src/tasks.ts', 'infra/app.ts']) write(path, samples.get(path) ?? '');
  const assembly = join(project, 'cdk.out');
  const { status, stderr } = await run(['node', 'infra/app.ts'], {
    cwd: project,
    env: { ...UNCHECKED, CDK_OUTDIR: assembly },
  });
  expect(status, stderr).toBe(0);
  stack = await deploy({
    assembly,
    stack: 'Photos',
    operatorPolicy: 'Photos-operator-eu-central-1',
  });
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  rmSync(root, { recursive: true });
});

it('the README’s own app runs the README’s task, by the package’s command line', async () => {
  write('photos.jsonl', '{"url":"data:,hello"}\n{"url":"nonsense"}\n');
  const line = ['run', 'resize', '--input', 'photos.jsonl', '--ordered', '--stack', 'Photos'];
  const { status, stdout, stderr } = await run(
    [join(project, 'node_modules/.bin/fanfold'), ...line],
    { cwd: project, env: stack.env },
  );
  expect(status, stderr).toBe(1);
  expect(results(stdout)).toMatchObject([
    { index: 0, status: 'ok', output: { bytes: 5 } },
    { index: 1, status: 'failed', error: { code: 'InvalidInput' } },
  ]);
  expect(stack.authority.denials).toEqual([]);
});

it('its tasks may use what the app granted to them', () => {
  // Fanfold's own bucket is for runs whose results are stored there.
  const ofBucket = stack.authority
    .unused()
    .filter((line) => line.includes(': s3:') && !line.includes('fanfoldbucket'));
  // The task does not use it; the sample shows that only workers may.
  expect(ofBucket.length).toBeGreaterThan(0);
  expect(ofBucket.filter((line) => !line.startsWith('Photos-worker'))).toEqual([]);
});
