// `npm run package:check`: packs the package and holds the tarball to publint (package.json's
// entry points and files) and Are The Types Wrong (whether TypeScript finds them as Node does).
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'fanfold-check-'));
const run = (program: string, ...args: string[]) =>
  execFileSync(program, args, { stdio: 'inherit' });
try {
  run('npm', 'run', 'package', '--', '--pack-destination', folder);
  const tarball = join(folder, readdirSync(folder)[0] ?? '');
  run('publint', 'run', tarball, '--strict');
  run('attw', tarball, '--profile', 'esm-only');
} catch (error) {
  // The program has printed why it failed.
  if (!(error instanceof Error && 'status' in error)) throw error;
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
