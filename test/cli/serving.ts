import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, vi } from 'vitest';
import { type Command, fanfold, start } from './command.ts';

/**
 * A user with a configuration folder of their own, and no keys in the environment. Their commands end
 * after each test or, if the tests run at once, after all of them.
 */
export function aUser(endAfter: 'each' | 'all' = 'each'): { folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'fanfold-serve-'));
  beforeAll(() => {
    vi.stubEnv('XDG_CONFIG_HOME', join(folder, 'config'));
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'none'));
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'FANFOLD_JOIN']) {
      vi.stubEnv(name, undefined);
    }
  });
  if (endAfter === 'each') afterEach(endAll);
  afterAll(async () => {
    await endAll();
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder };
}

const running = new Set<Command>();

async function endAll(): Promise<void> {
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.all(Array.from(running, ({ ended }) => ended));
  running.clear();
}

/** Starts a command, perhaps through another one. It ends as `aUser` says. */
export function begin(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  through: readonly string[] = [],
  cwd?: string,
): Command {
  const command = start(args, { env, through, ...(cwd === undefined ? {} : { cwd }) });
  running.add(command);
  return command;
}

export interface Server extends Command {
  url: string;
  port: string;
  /** What other machines set FANFOLD_JOIN to. */
  join: string;
}

/** `fanfold serve`, once it serves; on a free port and in memory by default. */
export async function serve(args: readonly string[] = [], env = {}): Promise<Server> {
  const port = args.includes('--port') ? [] : ['--port', '0'];
  const memory = args.includes('--data') ? [] : ['--memory'];
  const command = begin(['serve', ...port, ...memory, ...args], env);
  const url = await printed(command, /serving (\S+),/);
  // The last of its instructions: tests read what was printed with them.
  await printed(command, /(--host 0\.0\.0\.0|npx fanfold work)\n/);
  const { port: listens } = new URL(url);
  return { ...command, url, join: joinLeft(listens), port: listens };
}

/** The join line that a server on a port of this machine left for its user. */
export function joinLeft(port: string): string {
  const file = join(process.env.XDG_CONFIG_HOME ?? '', `fanfold/join-${port}`);
  return readFileSync(file, 'utf8').trim();
}

/** `fanfold work`, once its workers run. */
export async function work(args: readonly string[], env = {}): Promise<Command> {
  const command = begin(['work', ...args], env);
  await printed(command, /workers? at (\S+),/);
  return command;
}

/** Waits until a command has printed a match, and returns its first group. */
export async function printed(command: Command, what: RegExp): Promise<string> {
  // Not `expect.poll`, which must know the test that calls it: others may run at the same time.
  return vi.waitFor(
    () => {
      const found = what.exec(command.said())?.[1];
      if (found === undefined) throw new Error(`${what} was not printed: ${command.said()}`);
      return found;
    },
    { timeout: 60_000, interval: 20 },
  );
}

/** Runs a command to its end, in another environment. */
export async function fanfoldWith(env: NodeJS.ProcessEnv, args: readonly string[]) {
  const { child, ended } = start(args, { env });
  child.stdin?.end();
  return ended;
}

export { fanfold };
