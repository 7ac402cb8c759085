import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { REPOSITORY } from '../cli/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'fanfold-emulated-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A `python3` that is new enough, but cannot create virtual environments. */
const BROKEN = `#!/bin/sh
[ "$1" = -c ] && exit 0
echo 'No module named venv' >&2
exit 1
`;

it.each([
  ['no Python', undefined, 'This needs Python 3.10 or later, as python3'],
  ['no virtual environment', BROKEN, "needs Python's venv and PyPI): No module named venv"],
])(
  'an emulated deployment that cannot be attempted reports the reason with status 2: %s',
  (_, python, why) => {
    if (python !== undefined) writeFileSync(join(folder, 'python3'), python, { mode: 0o755 });
    const { status, stderr } = spawnSync(process.execPath, ['scripts/deploy-emulated.ts'], {
      cwd: REPOSITORY,
      env: { PATH: folder, XDG_CACHE_HOME: folder },
      encoding: 'utf8',
    });
    expect(stderr).toContain(why);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(status).toBe(2);
  },
);
