import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { userFolder } from '../../src/endpoint/folders.ts';

afterEach(() => vi.unstubAllEnvs());

const own = join(userInfo().homedir, '.config/fanfold');

it.each([
  [{ XDG_CONFIG_HOME: '/etc/xdg', HOME: '/home/ada' }, '/etc/xdg/fanfold'],
  [{ XDG_CONFIG_HOME: undefined, HOME: '/home/ada' }, '/home/ada/.config/fanfold'],
  [{ XDG_CONFIG_HOME: '', HOME: '/home/ada' }, '/home/ada/.config/fanfold'],
  [{ XDG_CONFIG_HOME: 'config', HOME: '/home/ada' }, '/home/ada/.config/fanfold'],
  [{ XDG_CONFIG_HOME: './config', HOME: '' }, own],
  [{ XDG_CONFIG_HOME: undefined, HOME: '' }, own],
  [{ XDG_CONFIG_HOME: undefined, HOME: 'home/ada' }, own],
  [{ XDG_CONFIG_HOME: undefined, HOME: undefined }, own],
])('a user’s folder is never in the working folder: %o', (environment, folder) => {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  expect(userFolder()).toBe(folder);
});
