import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A server in its own process. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
}

/**
 * Starts a program that prints its URL and exits when its stdin ends.
 *
 * @param args arguments of Node: the program and its own arguments
 */
export async function startServer(
  args: readonly string[],
  signal: AbortSignal,
): Promise<ServerProcess> {
  const child = spawn(process.execPath, args, { signal, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const url = await Promise.race([
    once(child.stdout.setEncoding('utf8'), 'data').then(([text]) => String(text).trim()),
    ended.then(([status]) => {
      throw new Error(`${args.join(' ')}: ended with status ${status} before it printed its URL`);
    }),
  ]);
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}
