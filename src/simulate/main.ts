import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Found } from './campaign.ts';
import { makeDeterministic } from './determinism.ts';
import type { Outcome } from './simulate.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    runs: { type: 'string', default: '500' },
    path: { type: 'string' },
    log: { type: 'string' },
    shrink: { type: 'string', default: '60' },
  },
});

// A commit's hash makes a seed, too.
const seed =
  values.seed === undefined
    ? randomInt(2 ** 31)
    : Number(/^-?\d{1,10}$/.test(values.seed) ? values.seed : `0x${values.seed.slice(0, 7)}`);

makeDeterministic();
// Only now: what it imports takes its randomness when it is loaded.
const { campaign } = await import('./campaign.ts');

const began = performance.now();
const totals = { runs: 0, calls: 0, virtualMs: 0 };
const marks = new Map<string, number>();
const log: string[] = [];

function enter({ calls, virtualMs, log: events }: Outcome): void {
  totals.runs++;
  totals.calls += calls;
  totals.virtualMs += virtualMs;
  for (const [name, count] of events.marks) marks.set(name, (marks.get(name) ?? 0) + count);
  if (values.log !== undefined) log.push(...events.lines, '');
}

function summary(): string {
  const seconds = (performance.now() - began) / 1000;
  const hours = Math.round(totals.virtualMs / 3_600_000);
  const rare = [...marks].sort(([one], [other]) => (one < other ? -1 : 1));
  return [
    `seed ${seed}: ${totals.runs} runs, ${totals.calls} SDK calls in ${seconds.toFixed(1)} s (${Math.round(totals.calls / seconds)} a second), ${hours} h of virtual time`,
    ...rare.map(([name, count]) => `  ${name.padEnd(40)} ${count}`),
  ].join('\n');
}

function report({ scenario, message, seed, path }: Found): string {
  return [
    JSON.stringify(scenario, undefined, 1),
    message,
    'Replay it with',
    `  npm run simulate -- --seed ${seed} --path ${path}`,
  ].join('\n');
}

const found = await campaign({
  seed,
  runs: Number(values.runs),
  shrinkSeconds: Number(values.shrink),
  ...(values.path === undefined ? {} : { path: values.path }),
  onOutcome: enter,
});
if (values.log !== undefined) writeFileSync(values.log, log.join('\n'));
console.log(summary());
if (found) {
  console.error(report(found));
  process.exitCode = 1;
}
