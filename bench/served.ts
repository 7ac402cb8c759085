import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './benchmark.ts';
import { fanfold } from './fanfold.ts';

/** A `fanfold serve` and workers for it, each a separate command. */
export interface ServedDeployment extends AsyncDisposable {
  url: string;
  /** Environment for commands and clients of the server's user. */
  env: NodeJS.ProcessEnv;
  credentials: { accessKeyId: string; secretAccessKey: string };
}

/** Time limit for a command to report that it is ready, in milliseconds. */
const START_MS = 30_000;

export async function serveForBench(
  bench: Bench,
  workers: number,
  { memory = false } = {},
): Promise<ServedDeployment> {
  const env = { ...process.env, XDG_CONFIG_HOME: join(bench.folder, 'config') };
  const ends: (() => Promise<void>)[] = [];
  const [begun, url] = await begin(
    bench,
    ['serve', '--port', '0', ...(memory ? ['--memory'] : ['--data', join(bench.folder, 'data')])],
    /serving (http:\S+),/,
    env,
  );
  ends.push(begun);
  for (let worker = 0; worker < workers; worker++) {
    const [end] = await begin(
      bench,
      ['work', '--endpoint', url, '--workers', '1'],
      /1 worker at (\S+),/,
      env,
    );
    ends.unshift(end);
  }
  const left = new URL(
    readFileSync(join(bench.folder, `config/fanfold/join-${new URL(url).port}`), 'utf8'),
  );
  return {
    url,
    env,
    credentials: { accessKeyId: left.username, secretAccessKey: left.password },
    async [Symbol.asyncDispose]() {
      for (const end of ends) await end();
    },
  };
}

/** Starts a command, and returns the text with which it reports that it is ready. */
async function begin(
  { folder, signal }: Bench,
  args: readonly string[],
  ready: RegExp,
  env: NodeJS.ProcessEnv,
): Promise<[end: () => Promise<void>, said: string]> {
  const { program, args: line } = fanfold(args);
  const child = spawn(program, line, {
    cwd: folder,
    env,
    signal,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  child.on('error', () => {});
  let text = '';
  const said = await new Promise<string>((resolve, reject) => {
    const fail = () => reject(new Error(`${args.join(' ')} did not start: ${text}`));
    const timer = setTimeout(fail, START_MS);
    child.once('close', fail);
    child.stderr.setEncoding('utf8').on('data', (more: string) => {
      text = (text + more).slice(-10_000);
      const [, found] = ready.exec(text) ?? [];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    });
  });
  const end = async () => {
    child.kill('SIGTERM');
    await closed;
  };
  return [end, said];
}
