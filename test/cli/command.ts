import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';

export const REPOSITORY = join(import.meta.dirname, '../..');
/** The command line, as bundled-cli.ts bundles it before the tests; git ignores its folder. */
export const FANFOLD = join(REPOSITORY, 'dist/test/bin/fanfold.js');
export const TASKS = join(REPOSITORY, 'test/fixtures/tasks.ts');

export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A running fanfold command. */
export interface Command {
  child: ChildProcess;
  /** Its output on standard error so far. */
  said(): string;
  ended: Promise<Ended>;
}

/** Starts `fanfold` as a user does, without a terminal. */
export function start(
  args: readonly string[],
  {
    env,
    through = [],
    ...options
  }: { cwd?: string; env?: NodeJS.ProcessEnv; through?: readonly string[] } = {},
): Command {
  const line = [...through, process.execPath, FANFOLD, ...args];
  const [program = '', ...rest] = line;
  const child = spawn(program, rest, {
    ...options,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const out: Buffer[] = [];
  const said: Buffer[] = [];
  child.stdout?.on('data', (data: Buffer) => out.push(data));
  child.stderr?.on('data', (data: Buffer) => said.push(data));
  // A command may end before it has read all of its input.
  child.stdin?.on('error', () => {});
  const ended = once(child, 'close').then(([status]) => ({
    status: status as number | null,
    stdout: Buffer.concat(out).toString(),
    stderr: Buffer.concat(said).toString(),
  }));
  return { child, said: () => Buffer.concat(said).toString(), ended };
}

/** Runs a command to its end. */
export function fanfold(args: readonly string[], stdin = '', cwd?: string): Promise<Ended> {
  const { child, ended } = start(args, cwd === undefined ? {} : { cwd });
  child.stdin?.end(stdin);
  return ended;
}

/** The results that a command printed. */
export function results(
  stdout: string,
): { index: number; status: string; [key: string]: unknown }[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** A port that no process listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Whether a process exists. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
