import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WITHOUT_RECURSIVE_LOOP } from '../cdk/recursion.ts';
import { hasRecursiveLoop } from '../src/doctor/account.ts';

const ROOT = join(import.meta.dirname, '..');
const IMPORT = /^(?:import|export)\b[^'"]*from '([^']+)'|^import '([^']+)'|import\('([^']+)'\)/gm;

const textOf = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const sourcesIn = (folder: string) => globSync(`${folder}/**/*.ts`, { cwd: ROOT });

/** What each source file imports of this repository, by path from its root. */
function importsOf(folder: string): [file: string, imported: string][] {
  return sourcesIn(folder).flatMap((file) =>
    Array.from(textOf(file).matchAll(IMPORT), ([, a, b, c]): [string, string] => {
      const name = a ?? b ?? c ?? '';
      const path = name.startsWith('.')
        ? relative(ROOT, join(ROOT, dirname(file), name))
        : name === '#shipped-tasks'
          ? 'functions/tasks/index.ts'
          : name;
      return [file, path];
    }),
  );
}

function strays(folder: string, forbidden: RegExp): string[] {
  return importsOf(folder)
    .filter(([, imported]) => forbidden.test(imported))
    .map(([file, imported]) => `${file} -> ${imported}`);
}

describe('never the wrong way', () => {
  // Each row: a folder, and what its files must not import.
  it.each([
    // The domain knows SDK clients and the clock. Its rooms are floors: messages, then run, then
    // seeding, seed and working side by side, then collecting, then runs.
    [
      'src/pipeline',
      /^src\/(emulator|endpoint|worlds|processes|serve|work|cli|connect|index|handlers)|^@aws-lambda-powertools/,
    ],
    ['src/pipeline/messages', /^src\/pipeline\/(run|seeding|seed|working|collecting|runs)\//],
    ['src/pipeline/run', /^src\/pipeline\/(seeding|seed|working|collecting|runs)\//],
    ['src/pipeline/seeding', /^src\/pipeline\/(seed|working|collecting|runs)\//],
    ['src/pipeline/seed', /^src\/pipeline\/(seeding|working|collecting|runs)\//],
    ['src/pipeline/working', /^src\/pipeline\/(seeding|seed|collecting|runs)\//],
    ['src/pipeline/collecting', /^src\/pipeline\/(seed|working|runs)\//],
    ['src/pipeline/runs', /^src\/pipeline\/(seed|working)\//],
    // The emulator knows nothing of Fanfold, and only those that need a service know it.
    ['src/emulator', /^src\/(?!emulator\/|errors|stopwatch)|^(cdk|functions)\//],
    ['src/emulator/sqs', /^src\/emulator\/lambda/],
    ['src/{handlers,inputs,doctor,loading,work}', /^src\/emulator/],
    ['src/handlers', /^src\/(emulator|endpoint|worlds|processes|serve|work|cli|connect|index)/],
    ['functions', /^src\/(emulator|endpoint|worlds|processes|serve|work|cli|connect|index)/],
    ['src/{endpoint,processes,worlds,serve,work}', /^src\/handlers\.ts/],
    ['src/endpoint', /^src\/(worlds|processes|serve|work|handlers)\//],
    ['src/processes', /^src\/(worlds|serve|work|handlers)\//],
    ['src/worlds', /^src\/(serve|work)\//],
    // The command line uses the public API, and what internal.ts adds for it.
    [
      'src/cli',
      /^src\/(?!cli\/|inputs\/|index\.ts|internal\.ts|emulator\/sqs\/index\.ts)|^functions/,
    ],
    ['src/inputs', /^src\/(?!inputs\/|errors)/],
    ['cdk', /^(src|functions|bin)\b/],
    ['src', /^(test|bench|scripts)\b/],
  ])('%s', (folder, forbidden) => {
    expect(importsOf(folder)).not.toEqual([]);
    expect(strays(folder, forbidden)).toEqual([]);
  });
});

it.each(['src', 'cdk', 'functions', 'bench', 'scripts', 'test'])(
  'no files of %s import each other in a circle',
  (folder) => {
    const imports = Map.groupBy(importsOf(folder), ([file]) => file);
    const reachable = (file: string, seen = new Set<string>()): Set<string> => {
      for (const [, next] of imports.get(file) ?? [])
        if (!seen.has(next)) reachable(next, seen.add(next));
      return seen;
    };
    expect([...imports.keys()].filter((file) => reachable(file).has(file))).toEqual([]);
  },
);

describe('one owner', () => {
  const users = (pattern: RegExp, folder = 'src') =>
    sourcesIn(folder).filter((file) => pattern.test(textOf(file)));

  it('of the tags of a run’s queue: src/pipeline/run/tags.ts', () => {
    expect(users(/\b(?:ListQueueTags|TagQueue)Command\b/, 'src/{pipeline,handlers}')).toEqual([
      'src/pipeline/run/tags.ts',
    ]);
  });

  it('of clients of a service: endpoint/clients.ts, a function’s environment, the emulator', () => {
    const makers = users(/new (?:SQS|Lambda|S3|STS|KMS)Client\(/).toSorted();
    expect(makers.filter((file) => !file.startsWith('src/emulator/'))).toEqual([
      'src/cli/sqs.ts',
      'src/endpoint/clients.ts',
      'src/handlers/environment.ts',
      'src/handlers/seed-from-s3.ts',
    ]);
  });

  it('of how pauses between tries grow: src/retry.ts, and the emulated Lambda', () => {
    expect(users(/2 \*\* [a-z(]/).toSorted()).toEqual([
      'src/emulator/lambda/event-source.ts',
      'src/emulator/lambda/lambda.ts',
      'src/pipeline/collecting/poll-scaler.ts',
      'src/retry.ts',
    ]);
  });
});

it('no file is longer than its idea', () => {
  const long = ['src', 'cdk', 'functions', 'bench']
    .flatMap(sourcesIn)
    .filter((file) => textOf(file).split('\n').length > 320);
  expect(long).toEqual([]);
});

it('the stack and the doctor know the same regions without RecursiveLoop', () => {
  const regions = ['us-east-1', 'us-gov-east-1', 'us-gov-west-1', 'mx-central-1', 'ap-southeast-6'];
  expect(WITHOUT_RECURSIVE_LOOP.toSorted()).toEqual(regions.slice(1).toSorted());
  expect(regions.map(hasRecursiveLoop)).toEqual([true, false, false, false, false]);
});
