import { fileURLToPath } from 'node:url';
import type { Bench } from '../benchmark.ts';
import { measure, median } from '../measure.ts';
import type { Load } from './load.ts';

export const SERVE = fileURLToPath(new URL('./serve.ts', import.meta.url));
const LOAD = fileURLToPath(new URL('./load.ts', import.meta.url));

/** Loads the server from a separate process, which runs load.ts. */
export async function runLoad(
  bench: Bench,
  url: string,
  messages: number,
  ...more: readonly '--batches'[]
): Promise<Load> {
  const { stdout } = await measure(
    { program: process.execPath, args: [LOAD, url, String(messages), ...more] },
    { cwd: bench.folder, signal: bench.signal },
  );
  return JSON.parse(stdout);
}

/** Requests per second, by the median of the loads. */
export function rate(loads: readonly Load[], action: keyof Load, messages: number): number {
  return messages / median(loads.map((load) => load[action]));
}

/** Note for the figure of a server that accepts unsigned requests: it did less than it should. */
export async function signatureNote(url: string): Promise<string> {
  const { status } = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'AmazonSQS.ListQueues',
    },
    body: '{}',
  });
  return status === 200 ? ' (NOT verified)' : '';
}
