import type { SampledInput } from './planned-run.ts';

/** Memory, in MiB, with which a function has one whole processor. AWS, "Configure memory", 2026-11. */
export const WHOLE_PROCESSOR_MB = 1_769;

/** Where a sample was run, as far as its times depend on that. */
export interface SampledAt {
  /** Memory of the functions, in MiB; undefined for this machine, where a worker has a processor. */
  memoryMb: number | undefined;
  /** Share of the time in which a processor works, from 0 to 1; undefined if it is not known. */
  cpuShare: number | undefined;
}

/**
 * What a sample would take in functions of a memory. Only the processor's part changes, which has its
 * share of a processor by the memory. More than one makes a task no faster: it runs on one thread.
 */
export function atMemory(
  sample: readonly SampledInput[],
  { memoryMb: from, cpuShare = 0 }: SampledAt,
  memoryMb: number,
): SampledInput[] {
  const slowness = (mb: number) => 1 - cpuShare + cpuShare * Math.max(1, WHOLE_PROCESSOR_MB / mb);
  const factor = slowness(memoryMb) / (from === undefined ? 1 : slowness(from));
  return sample.map((input) => ({ ...input, ms: input.ms * factor }));
}
