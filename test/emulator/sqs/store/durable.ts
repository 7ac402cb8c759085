import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SQSClient } from '@aws-sdk/client-sqs';
import { onTestFinished } from 'vitest';

const SERVE = join(import.meta.dirname, 'serve.ts');

/** A folder for a test, deleted after it. */
export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fanfold-store-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** An SQS in a separate process that stores its queues in a folder. */
export class DurableServer {
  readonly client: SQSClient;
  readonly #process: ChildProcess;
  readonly #exit: Promise<unknown>;

  private constructor(process: ChildProcess, exit: Promise<unknown>, url: string) {
    this.#process = process;
    this.#exit = exit;
    this.client = new SQSClient({
      region: 'us-east-1',
      endpoint: url,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
      useQueueUrlAsEndpoint: false,
    });
  }

  /** Rejects with the process's message when the store is refused. */
  static async start(folder: string): Promise<DurableServer> {
    const child = spawn(process.execPath, [SERVE, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exit = once(child, 'exit');
    let said = '';
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      said += chunk;
      if (said.endsWith('\n')) break;
    }
    if (!said.startsWith('http')) throw new Error(said.trim());
    const server = new DurableServer(child, exit, said.trim());
    onTestFinished(() => server.kill());
    return server;
  }

  /** Kills the process at any moment, as `kill -9` does. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exit;
    this.client.destroy();
  }
}

/** Errors that a caller sees when the server ends. */
export function isCut(error: unknown): boolean {
  const { code = '', name = '' } = error as { code?: string; name?: string };
  return /^(ECONNRESET|ECONNREFUSED|EPIPE)$/.test(code) || name === 'TimeoutError';
}
