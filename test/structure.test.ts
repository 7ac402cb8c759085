import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseSync } from 'oxc-parser';
import { describe, expect, it } from 'vitest';
import { WITHOUT_RECURSIVE_LOOP } from '../cdk/recursion.ts';
import { hasRecursiveLoop } from '../src/doctor/account.ts';

const ROOT = join(import.meta.dirname, '..');

/** Imports at run time or of a type, and modules that a thread or a process is started with. */
const CALLED =
  /\bimport\(\s*['"`]([^'"`]+)|new URL\(\s*['"`]([^'"`]+\.ts)['"`],\s*import\.meta\.url/g;

const textOf = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const sourcesIn = (pattern: string) =>
  globSync(pattern.endsWith('.ts') ? pattern : `${pattern}/**/*.ts`, { cwd: ROOT });

/** The repository's own modules, by the names that users import them by. */
const OWN = new Map<string, string>();
const { name, exports, imports } = JSON.parse(textOf('package.json'));
for (const [path, { default: source }] of Object.entries<{ default: string }>(exports)) {
  OWN.set(join(name, path), join(source));
}
for (const [path, { default: source }] of Object.entries<{ default: string }>(imports)) {
  OWN.set(path, join(source));
}

/** What each source file imports, by path from the repository's root. */
function importsOf(pattern: string): [file: string, imported: string][] {
  return sourcesIn(pattern).flatMap((file) => {
    const text = textOf(file);
    const { module } = parseSync(file, text);
    const names = [
      ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
      ...module.staticExports.flatMap(({ entries }) =>
        entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
      ),
      ...Array.from(text.matchAll(CALLED), ([, one, other]) => one ?? other ?? ''),
    ];
    return names.map((one): [string, string] => {
      if (one.startsWith('.')) return [file, relative(ROOT, join(ROOT, dirname(file), one))];
      return [file, OWN.get(one) ?? one];
    });
  });
}

function strays(pattern: string, forbidden: RegExp): string[] {
  return importsOf(pattern)
    .filter(([, imported]) => forbidden.test(imported))
    .map(([file, imported]) => `${file} -> ${imported}`);
}

/** Folders that the pipeline, and deployed code, must not import. */
const OUTER =
  'emulator|endpoint|worlds|processes|serve|work|loading|doctor|cli|connect|fanfold|index|internal';

describe('never the wrong way', () => {
  // Each row: files, and what they must not import.
  it.each([
    // The domain knows SDK clients and the clock. Its rooms are floors: messages, then run, then
    // seeding, seed and working side by side, then collecting, then storing, then runs.
    ['src/pipeline', new RegExp(`^src/(${OUTER}|handlers)|^@aws-lambda-powertools`)],
    ['src/pipeline/*.ts', /^src\/pipeline\/\w+\//],
    [
      'src/pipeline/messages',
      /^src\/pipeline\/(run|seeding|seed|working|collecting|storing|runs)\//,
    ],
    ['src/pipeline/run', /^src\/pipeline\/(seeding|seed|working|collecting|storing|runs)\//],
    ['src/pipeline/seeding', /^src\/pipeline\/(seed|working|collecting|storing|runs)\//],
    ['src/pipeline/seed', /^src\/pipeline\/(seeding|working|collecting|storing|runs)\//],
    ['src/pipeline/working', /^src\/pipeline\/(seeding|seed|collecting|storing|runs)\//],
    ['src/pipeline/collecting', /^src\/pipeline\/(seed|working|storing|runs)\//],
    ['src/pipeline/storing', /^src\/pipeline\/(seeding|seed|working|runs)\//],
    ['src/pipeline/runs', /^src\/pipeline\/(seed|working)\//],
    ['src/handlers', new RegExp(`^src/(${OUTER})`)],
    ['functions', new RegExp(`^src/(${OUTER})`)],
    // The emulator knows nothing of Fanfold, and only those that need a service know it.
    ['src/emulator', /^src\/(?!emulator\/|errors|node-version|stopwatch)|^(cdk|functions)\//],
    ['src/emulator/transport', /^src\/emulator\/(auth|sqs|lambda|s3)/],
    ['src/emulator/auth', /^src\/emulator\/(sqs|lambda|s3)/],
    ['src/emulator/lambda', /^src\/emulator\/(sqs|s3)/],
    ['src/emulator/sqs', /^src\/emulator\/(lambda|s3)/],
    ['src/emulator/s3', /^src\/emulator\/(sqs|lambda)/],
    ['src/endpoint', /^src\/(worlds|processes|serve|work|handlers|cli)\//],
    ['src/processes', /^src\/(worlds|serve|work|handlers|cli)\//],
    ['src/worlds', /^src\/(serve|work|handlers\.ts|cli)/],
    ['src/serve', /^src\/(work\/|handlers\.ts|cli)/],
    ['src/ui', /^src\/(worlds|processes|serve|work|handlers|cli)\b/],
    ['src/work', /^src\/(serve\/|handlers\.ts|cli)/],
    ['src/loading', /^src\/(worlds|processes|serve|work|handlers|cli|pipeline)/],
    ['src/doctor', /^src\/(serve|work|handlers|cli)/],
    ['src/inputs', /^src\/(?!inputs\/|errors)/],
    ['src/outputs', /^src\/(?!outputs\/)/],
    ['src/sampling', /^src\/(serve|work|handlers|cli)\b/],
    ['src/planning', /^src\/(?!planning\/|errors)/],
    // The command line uses the public API, and what internal.ts adds for it.
    [
      'src/cli',
      /^src\/(?!cli\/|inputs\/|index\.ts|internal\.ts|emulator\/sqs\/index\.ts)|^functions\/(?!tasks\/index)/,
    ],
    ['src/*.ts', /^src\/cli/],
    ['cdk', /^(src|functions|bin)\b/],
    ['src', /^(test|bench|scripts)\b/],
  ])('%s', (pattern, forbidden) => {
    expect(importsOf(pattern)).not.toEqual([]);
    expect(strays(pattern, forbidden)).toEqual([]);
  });

  it('to the emulator, but for those that need a service or its transport', () => {
    const users = strays('src', /^src\/emulator\//).map((stray) => stray.split(/[/.]/)[1] ?? '');
    expect([...new Set(users)].sort()).toEqual([
      'cli',
      'emulator',
      'endpoint',
      // Gives the command line the lock of a store, for its outputs.
      'internal',
      'serve',
      // Serves its page through the transport.
      'ui',
      'worlds',
    ]);
  });
});

it('no files import each other in a circle', () => {
  const all = importsOf('{src,cdk,functions,bench,scripts,test}');
  const importedBy = Map.groupBy(all, ([file]) => file);
  const reachable = (file: string, seen = new Set<string>()): Set<string> => {
    for (const [, next] of importedBy.get(file) ?? [])
      if (!seen.has(next)) reachable(next, seen.add(next));
    return seen;
  };
  expect([...importedBy.keys()].filter((file) => reachable(file).has(file))).toEqual([]);
});

describe('one owner', () => {
  const users = (pattern: RegExp) =>
    sourcesIn('src')
      .filter((file) => !file.startsWith('src/emulator/') && pattern.test(textOf(file)))
      .toSorted();

  it('of how pauses between tries grow', () => {
    // The first two are not pauses: a decaying rate, and an interval of polls.
    expect(users(/2 \*\* [a-z(]|Ms \* 2\b/)).toEqual([
      'src/pipeline/collecting/poll-scaler.ts',
      'src/pipeline/seeding/remote-seeder.ts',
      'src/retry.ts',
    ]);
  });

  it('of the tags of a run’s queue', () => {
    expect(users(/\b(?:ListQueueTags|TagQueue|UntagQueue)Command\b/)).toEqual([
      'src/pipeline/run/tags.ts',
    ]);
  });

  it('of clients of a service: endpoints, and a function’s environment', () => {
    expect(users(/= new \w+Client\(|return new \w+Client\(/)).toEqual([
      'src/endpoint/clients.ts',
      'src/handlers/collector.ts',
      'src/handlers/environment.ts',
      'src/handlers/seed-from-s3.ts',
    ]);
  });
});

it('no file is longer than its limit', () => {
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
