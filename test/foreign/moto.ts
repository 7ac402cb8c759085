import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { motoForTests } from '../../scripts/moto.ts';

export interface Moto {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts moto, an emulator of AWS that others wrote. Its S3 has conditional writes. Its EventBridge
 * passes events on to rules' targets that are its own queues and log groups. It checks no signatures.
 */
export async function startMoto(): Promise<Moto> {
  const python = motoForTests();
  if (python === undefined) throw new Error('moto is not installed: npm run moto');
  const child = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface(child.stderr)) {
    lines.push(line);
    const [, url] = /Running on (http:\S+)/.exec(line) ?? [];
    if (url === undefined) continue;
    // It logs each request, and would wait for somebody to read that.
    child.stderr.resume();
    const close = async () => {
      child.kill();
      await ended;
    };
    return { url, close };
  }
  throw new Error(`moto did not start:\n${lines.join('\n')}`);
}
