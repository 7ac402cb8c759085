import { afterEach, expect, it, vi } from 'vitest';
import { commandLine } from '../../src/cli/command-line.ts';

const { argv } = process;
afterEach(() => {
  process.argv = argv;
  vi.unstubAllEnvs();
});

it.each([
  ['/usr/local/bin/fanfold', undefined, "fanfold run sleep --output 'a b'"],
  ['/project/node_modules/.bin/fanfold', undefined, "npx fanfold run sleep --output 'a b'"],
  ['/project/node_modules/.bin/fanfold', 'npx', "npx fanfold run sleep --output 'a b'"],
  ['/clone/bin/fanfold.js', 'start', "npx fanfold run sleep --output 'a b'"],
])('called as %s (npm: %s), a further command is %s', (path, event, line) => {
  process.argv = ['node', path];
  vi.stubEnv('npm_lifecycle_event', event);
  expect(commandLine(['run', 'sleep', '--output', 'a b'])).toBe(line);
});
