// Runs before each test file: the user's settings for Fanfold, AWS, Node and terminals must not
// affect a test. Processes that a test starts inherit the rest.
import { existsSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { ASSEMBLIES } from './stack/assemblies.ts';

const FOREIGN =
  /^_?(FANFOLD|XDG|CDK|POWERTOOLS|LAMBDA|X_AMZN)_|^(NO_COLOR|FORCE_COLOR|NODE_OPTIONS|NODE_PATH|NODE_DEBUG|NODE_NO_WARNINGS|NODE_USE_ENV_PROXY|LOG_LEVEL)$/;

const { env } = process;

// The contract's tests against AWS itself need the user's credentials.
const isOnAws = env.FANFOLD_CONTRACT_AWS === '1';

for (const name of Object.keys(env)) {
  if (name === 'FANFOLD_CONTRACT_AWS') continue;
  if (FOREIGN.test(name) || (!isOnAws && name.startsWith('AWS_'))) delete env[name];
}
if (!existsSync(env.HOME ?? '')) env.HOME = userInfo().homedir;
env.TERM = 'xterm';
// Compiling the sources takes half of the processor time that a command needs to start.
env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'fanfold-compile-cache');

// The CDK's own rules take half of the time of a synthesis. bundle.test.ts applies them to the app,
// with and without all of its options.
env.CDK_VALIDATION = 'false';

afterAll(() => rmSync(ASSEMBLIES, { recursive: true, force: true }));
