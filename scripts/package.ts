// `npm run package`: makes the package's tarball from a folder of its own, so that the repository stays
// as it is even when packing fails. Arguments are those of `npm pack`.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildPackage } from './build.ts';

/** Relative paths in npm's arguments are relative to the folder that npm was called in. */
const FROM = process.env.INIT_CWD ?? process.cwd();

async function pack(folder: string): Promise<void> {
  await buildPackage(folder);
  // npm passes its own path: on Windows, npm is not an executable that can be started by name.
  const { npm_execpath: npm } = process.env;
  const [command, args] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  execFileSync(command, [...args, 'pack', folder, ...process.argv.slice(2)], {
    cwd: FROM,
    stdio: 'inherit',
  });
}

const folder = mkdtempSync(join(tmpdir(), 'fanfold-pack-'));
try {
  await pack(folder);
} catch (error) {
  // tsc or npm, which has printed why it failed.
  if (!(error instanceof Error && 'status' in error && typeof error.status === 'number'))
    throw error;
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
