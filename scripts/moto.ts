// `npm run moto` installs moto, an AWS that others wrote, for the tests that compare with it. It needs
// Python 3.10 and PyPI.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const MOTO_VERSION = '5.2.5';

/** Folder of the installation, where the tests look for it. */
const FOR_TESTS = join(import.meta.dirname, '../.local/moto');

/** S3 and EventBridge, with moto's server but without the parts of it that need Docker. */
const REQUIREMENTS = [`moto[events,s3]==${MOTO_VERSION}`, 'flask==3.1.3', 'flask-cors==6.0.5'];

/** Installs Python packages in a third of pip's time. */
const UV = 'uv==0.9.5';

/** moto cannot be installed or started here. */
export class NoMoto extends Error {}

const run = promisify(execFile);

/** The Python of the tests' moto; undefined if it is not installed. */
export function motoForTests(): string | undefined {
  return isInstalled(FOR_TESTS, REQUIREMENTS) ? pythonOf(FOR_TESTS) : undefined;
}

/**
 * The Python of a virtual environment with moto, which is created if it does not exist.
 *
 * @throws NoMoto
 */
export async function installedMoto(
  folder: string,
  requirements: readonly string[],
): Promise<string> {
  const version = 'import sys; sys.exit(sys.version_info < (3, 10))';
  await run('python3', ['-c', version]).catch(() => {
    throw new NoMoto('This needs Python 3.10 or later, as python3, to run the emulator moto.');
  });
  const python = pythonOf(folder);
  if (isInstalled(folder, requirements)) return python;
  console.log(`Installing ${requirements.join(' ')} from PyPI into ${folder} ...`);
  try {
    await run('python3', ['-m', 'venv', '--clear', folder]);
    await run(python, ['-m', 'pip', 'install', '--quiet', UV]);
    const install = ['-m', 'uv', 'pip', 'install', '--quiet', '--python', python];
    await run(python, [...install, ...requirements]);
  } catch (error) {
    throw new NoMoto(
      `moto ${MOTO_VERSION} cannot be installed (this needs Python's venv and PyPI): ${lastLine(error)}`,
    );
  }
  writeFileSync(markOf(folder), requirements.join(' '));
  return python;
}

const pythonOf = (folder: string) => join(folder, 'bin/python');

const markOf = (folder: string) => join(folder, 'installed');

/** Only the last step of an installation says so: an earlier one may have been interrupted. */
function isInstalled(folder: string, requirements: readonly string[]): boolean {
  const mark = markOf(folder);
  return existsSync(mark) && readFileSync(mark, 'utf8') === requirements.join(' ');
}

export function lastLine(error: unknown): string {
  const { stderr = '', message = '' } = error as { stderr?: string; message?: string };
  return (stderr.trim() || message).split('\n').at(-1) ?? '';
}

if (import.meta.main) {
  try {
    await installedMoto(FOR_TESTS, REQUIREMENTS);
  } catch (error) {
    if (!(error instanceof NoMoto)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
