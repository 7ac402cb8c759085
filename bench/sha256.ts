import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench, Benchmark } from './benchmark.ts';
import { fanfold } from './fanfold.ts';
import { atLeast, percent, perSecond, seconds } from './format.ts';
import { inTurns, measure, median } from './measure.ts';

const FILES = 4_000;
const FILE_BYTES = 4 * 1_024 * 1_024;
/** Number of distinct files; the others are links to them, so that the CPU limits, not the disk. */
const CONTENTS = 32;
const HASH_FILES = fileURLToPath(new URL('./bare/hash-files.ts', import.meta.url));

/** CPU-bound work: the cost of distributing it. */
export const sha256: Benchmark = {
  name: 'sha256',
  about: '4,000 files of 4 MiB, 2 workers; baseline: 2 bare processes, half the files each',
  async run(bench) {
    const paths = writeFiles(bench.folder);
    const [ours, baseline] = await inTurns(
      3,
      () => runOurs(bench, paths),
      () => runBare(bench, paths),
    );
    const wall = median(ours);
    const bareWall = median(baseline);
    const megabytes = (FILES * FILE_BYTES) / 1e6;
    return [
      { what: 'wall time', ours: seconds(wall), baseline: seconds(bareWall) },
      {
        what: 'throughput',
        ours: perSecond(megabytes / wall, 'MB'),
        baseline: perSecond(megabytes / bareWall, 'MB'),
        ratio: percent(bareWall / wall),
        goal: atLeast(bareWall / wall, 0.85, percent),
      },
    ];
  },
};

function writeFiles(folder: string): string[] {
  const paths: string[] = [];
  for (let file = 0; file < FILES; file++) {
    const inFolder = join(folder, `files-${file % 40}`);
    mkdirSync(inFolder, { recursive: true });
    const path = join(inFolder, `${file}.bin`);
    const original = paths[file % CONTENTS];
    if (original === undefined) writeFileSync(path, content(file));
    else linkSync(original, path);
    paths.push(path);
  }
  return paths;
}

/** Content of a file: the same in every run, and different in every file. */
function content(file: number): Buffer {
  const block = createHash('sha512').update(`file ${file}`).digest();
  return Buffer.alloc(FILE_BYTES, block);
}

async function runOurs(bench: Bench, paths: readonly string[]): Promise<number> {
  const output = join(bench.folder, 'output.jsonl');
  const input = writeList(bench.folder, 'paths.txt', paths);
  const run = await measure(
    fanfold([
      'run',
      'sha256',
      '--input',
      input,
      '--output',
      output,
      '--overwrite',
      '--workers',
      '2',
      '--quiet',
    ]),
    { cwd: bench.folder, signal: bench.signal },
  );
  checkDigests(
    paths,
    readLines(output).map((line) => JSON.parse(line).output),
  );
  return run.seconds;
}

async function runBare(bench: Bench, paths: readonly string[]): Promise<number> {
  const halves = [paths.slice(0, FILES / 2), paths.slice(FILES / 2)].map((half, number) => ({
    list: writeList(bench.folder, `half-${number}.txt`, half),
    output: join(bench.folder, `half-${number}.jsonl`),
  }));
  const began = performance.now();
  await Promise.all(
    halves.map(({ list, output }) =>
      measure(
        { program: process.execPath, args: [HASH_FILES, list, output] },
        { cwd: bench.folder, signal: bench.signal },
      ),
    ),
  );
  const wall = (performance.now() - began) / 1_000;
  checkDigests(
    paths,
    halves.flatMap(({ output }) => readLines(output).map((line) => JSON.parse(line))),
  );
  return wall;
}

function writeList(folder: string, name: string, paths: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, `${paths.join('\n')}\n`);
  return path;
}

function readLines(path: string): string[] {
  return readFileSync(path, 'utf8').trimEnd().split('\n');
}

interface Digest {
  path: string;
  bytes: number;
  sha256: string;
}

/** Checks that every path was returned once, with the digest of its content. */
function checkDigests(paths: readonly string[], digests: readonly Digest[]): void {
  const expected = Array.from({ length: CONTENTS }, (_, file) =>
    createHash('sha256').update(content(file)).digest('hex'),
  );
  const found = new Map(digests.map((digest) => [digest.path, digest]));
  if (digests.length !== paths.length || found.size !== paths.length) {
    throw new Error(
      `sha256: expected ${paths.length} paths, once each; got ${digests.length} digests of ${found.size} paths`,
    );
  }
  for (const [file, path] of paths.entries()) {
    const digest = found.get(path);
    const wanted = expected[file % CONTENTS];
    if (digest?.sha256 !== wanted || digest?.bytes !== FILE_BYTES) {
      throw new Error(
        `sha256: expected ${FILE_BYTES} bytes and ${wanted} of ${path}; got ${JSON.stringify(digest)}`,
      );
    }
  }
}
