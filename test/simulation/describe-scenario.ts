import type { Scenario, SimInput } from './scenario.ts';

/** Formats a scenario for readers: inactive faults are omitted, and equal inputs are counted. */
export function describeScenario({ rates, runs, ...rest }: Scenario): string {
  const on = Object.entries(rates).filter(([, rate]) => rate > 0);
  return [
    JSON.stringify(rest),
    `faults: ${on.map(([fault, rate]) => `${fault} ${rate}`).join(', ') || 'none'}`,
    ...runs.map(
      ({ inputs, ...plan }) => `run ${JSON.stringify(plan)} of ${describeInputs(inputs)}`,
    ),
  ].join('\n');
}

function describeInputs(inputs: readonly SimInput[]): string {
  const groups: { what: string; count: number }[] = [];
  for (const { kind, ms } of inputs) {
    const what = `${kind} ${ms} ms`;
    const last = groups.at(-1);
    if (last?.what === what) last.count++;
    else groups.push({ what, count: 1 });
  }
  return groups.map(({ what, count }) => `${count} x ${what}`).join(', ') || 'nothing';
}
