import { fileURLToPath } from 'node:url';
import type { Bench } from '../benchmark.ts';
import { measure, median } from '../measure.ts';
import type { Load } from './load.ts';

export const SERVE = fileURLToPath(new URL('./serve.ts', import.meta.url));
const LOAD = fileURLToPath(new URL('./load.ts', import.meta.url));

/** Lets a process of its own load the server; what it does is in load.ts. */
export async function runLoad(
  bench: Bench,
  url: string,
  messages: number,
  ...more: readonly '--send-only'[]
): Promise<Load> {
  const { stdout } = await measure(
    { program: process.execPath, args: [LOAD, url, String(messages), ...more] },
    { cwd: bench.folder, signal: bench.signal },
  );
  return JSON.parse(stdout);
}

/** Requests a second, by the median of the loads. */
export function rate(loads: readonly Load[], action: keyof Load, messages: number): number {
  return messages / median(loads.map((load) => load[action]));
}
