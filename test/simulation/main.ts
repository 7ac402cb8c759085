import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Found } from './campaign.ts';
import { describeScenario } from './describe-scenario.ts';
import { makeDeterministic } from './determinism.ts';

const USAGE = `npm run simulate -- [options]
  --seed S       a number, or a commit's hash; default: any
  --runs N       scenarios to simulate; default: 500
  --bounds       scenarios with bounds, and changes of them, which take longer
  --stored       scenarios whose results a collector function stores in S3
  --path P       replays the one scenario that a failure names
  --processes N  shares the runs out, each process with a seed of its own (S, S+1 ...); default: 1
  --shrink N     seconds to look for a smaller scenario that fails; default: 60
  --log FILE     writes every event there`;

const { values } = parsed(() =>
  parseArgs({
    options: {
      seed: { type: 'string', default: String(randomInt(2 ** 31)) },
      runs: { type: 'string', default: '500' },
      bounds: { type: 'boolean', default: false },
      stored: { type: 'boolean', default: false },
      path: { type: 'string' },
      processes: { type: 'string', default: '1' },
      shrink: { type: 'string', default: '60' },
      log: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  }),
);

const kind = values.bounds ? 'bounds' : values.stored ? 'stored' : 'plain';
const kindArgs = kind === 'plain' ? [] : [`--${kind}`];
const seed = seedOf(values.seed);
const runs = countOf('--runs', values.runs, 1);
const processes = countOf('--processes', values.processes, 1);
const shrinkSeconds = countOf('--shrink', values.shrink, 0);
if (values.help) console.log(USAGE);
else if (processes > 1) await shareOut();
else await simulateAll();

/** Seven digits of a hash tell commits apart well enough. */
function seedOf(text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text) | 0;
  if (/^[0-9a-f]{7,40}$/.test(text)) return Number.parseInt(text.slice(0, 7), 16);
  return refuse(`--seed must be a whole number, or a commit's hash; got "${text}".`);
}

function countOf(option: string, text: string, least: number): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
  return refuse(`${option} must be a whole number from ${least}; got "${text}".`);
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    return refuse((error as Error).message);
  }
}

/** A wrongly requested simulation must not look like one that found nothing. */
function refuse(why: string): never {
  console.error(`${why}\n\n${USAGE}`);
  process.exit(2);
}

async function shareOut(): Promise<void> {
  const children = Array.from({ length: processes }, (_, at) => {
    const args = ['--seed', seed + at, '--runs', Math.ceil(runs / processes)].map(String);
    const command = [import.meta.filename, ...args, ...kindArgs, '--shrink', values.shrink];
    return once(spawn(process.execPath, command, { stdio: 'inherit' }), 'exit');
  });
  const exits = await Promise.all(children);
  if (exits.some(([code]) => code !== 0)) process.exitCode = 1;
}

async function simulateAll(): Promise<void> {
  makeDeterministic();
  // Imported only now: these modules capture their random sources when they are loaded.
  const { campaign } = await import('./campaign.ts');
  const { Summary } = await import('./summary.ts');
  const summary = new Summary();
  const events: string[] = [];
  const found = await campaign({
    seed,
    runs,
    kind,
    shrinkSeconds,
    ...(values.path === undefined ? {} : { path: values.path }),
    onOutcome(outcome) {
      summary.enter(outcome);
      if (values.log !== undefined) events.push(...outcome.log.lines, '');
    },
  });
  if (values.log !== undefined) writeFileSync(values.log, events.join('\n'));
  console.log(summary.text(seed));
  if (found === undefined) return;
  console.error(report(found));
  process.exitCode = 1;
}

function report({ scenario, message, path, seed }: Found): string {
  return [
    describeScenario(scenario),
    message,
    'Replay it with',
    `  npm run simulate -- ${kindArgs.map((arg) => `${arg} `).join('')}--seed ${seed} --path ${path}`,
  ].join('\n');
}
