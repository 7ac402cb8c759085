import { setTimeout } from 'node:timers/promises';

export function echo(line: string): unknown {
  return JSON.parse(line);
}

export async function sleep(seconds: number): Promise<number> {
  await setTimeout(seconds * 1_000);
  return seconds;
}

/** Keeps the processor busy. */
export function spin(milliseconds: number): number {
  const before = process.threadCpuUsage();
  let used = 0;
  while (used < milliseconds * 1_000) {
    const { user, system } = process.threadCpuUsage(before);
    used = user + system;
  }
  return milliseconds;
}
