// npm run bench                all benchmarks except the long ones
// npm run bench -- --full      all benchmarks
// npm run bench -- echo-ten    the named benchmarks
//
// Prints one table, each row as it is measured, with baselines measured in the same run. Exit status: 0 if all outputs were
// right, even if goals were missed; 1 if a run failed or an output was wrong; 2 for wrong usage.
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { basemanager } from './basemanager.ts';
import type { Benchmark } from './benchmark.ts';
import { collect } from './collect.ts';
import { collectMillion } from './collect-million.ts';
import { echoMillion } from './echo-million.ts';
import { echoTen } from './echo-ten.ts';
import { echoTenMillion } from './echo-ten-million.ts';
import { buildForBench } from './fanfold.ts';
import { megabytes } from './format.ts';
import { largeLines } from './large-lines.ts';
import { library } from './library.ts';
import { plan } from './plan.ts';
import { pools } from './pools.ts';
import { ramp } from './ramp.ts';
import { requests } from './requests.ts';
import { serveMillion } from './serve-million.ts';
import { sha256 } from './sha256.ts';
import { sqsDurable } from './sqs-durable.ts';
import { sqsFauxqs } from './sqs-fauxqs.ts';
import { sqsHttp } from './sqs-http.ts';
import { sqsInProcess } from './sqs-in-process.ts';
import { sqsMillion } from './sqs-million.ts';
import { sqsRecover } from './sqs-recover.ts';
import { start } from './start.ts';
import { stored } from './stored.ts';
import { HEAD, linesOf, type Row } from './table.ts';

/** Load average from which other work disturbs the figures. */
const BUSY = 0.5;

/** Peers that need a server which this bench does not start. */
const SKIPPED = [
  ['bullmq', 'it needs Redis, which this bench does not install'],
  ['celery', 'it needs Redis, which this bench does not install'],
] as const;

const BENCHMARKS = [
  start,
  echoMillion,
  echoTenMillion,
  echoTen,
  largeLines,
  library,
  pools,
  basemanager,
  collect,
  collectMillion,
  stored,
  serveMillion,
  sha256,
  sqsHttp,
  sqsInProcess,
  sqsMillion,
  sqsDurable,
  sqsRecover,
  sqsFauxqs,
  ramp,
  requests,
  plan,
];

async function main(args: readonly string[]): Promise<number> {
  const chosen = choose(args);
  if (typeof chosen === 'string') {
    console.error(chosen);
    return 2;
  }
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  console.log(`${machine()}\n`);
  await buildForBench();
  for (const line of HEAD) console.log(line);
  const rows: Row[] = [];
  const loads: string[] = [];
  for (const { benchmark, skip } of chosen) {
    const [load = 0] = loadavg();
    if (!skip && load >= BUSY && rows.length === 0) loads.push(`${load.toFixed(2)} before it`);
    const outcome = skip
      ? { skipped: `takes long; npm run bench -- ${benchmark.name}` }
      : await run(benchmark, interrupted.signal);
    if (interrupted.signal.aborted) return 130;
    const row = { name: benchmark.name, outcome };
    rows.push(row);
    for (const line of linesOf(row)) console.log(line);
    const [after = 0] = loadavg();
    if (!skip) console.log(`  load ${load.toFixed(2)} before, ${after.toFixed(2)} after`);
  }
  if (chosen.length === BENCHMARKS.length) {
    for (const [name, skipped] of SKIPPED) {
      for (const line of linesOf({ name, outcome: { skipped } })) console.log(line);
    }
  }
  for (const load of loads) {
    console.log(
      `\nOther work disturbed the figures (load ${load}): measure again when the machine is idle.`,
    );
  }
  console.log(
    `\n${chosen.map(({ benchmark: { name, about } }) => `${name}: ${about}`).join('\n')}`,
  );
  return rows.some((row) => 'failed' in row.outcome) ? 1 : 0;
}

/** The benchmarks that the arguments select, or a message about wrong arguments. */
function choose(args: readonly string[]): { benchmark: Benchmark; skip: boolean }[] | string {
  let full: boolean;
  let names: string[];
  try {
    const parsed = parseArgs({
      args: [...args],
      options: { full: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    full = parsed.values.full;
    names = parsed.positionals;
  } catch {
    return `Expected names of benchmarks and --full; got ${args.join(' ')}.`;
  }
  const unknown = names.find((name) => BENCHMARKS.every((benchmark) => benchmark.name !== name));
  if (unknown !== undefined) {
    const known = BENCHMARKS.map(({ name }) => name).join(', ');
    return `There is no benchmark named ${unknown}. Known benchmarks: ${known}.`;
  }
  return BENCHMARKS.filter(({ name }) => names.length === 0 || names.includes(name)).map(
    (benchmark) => ({
      benchmark,
      skip: benchmark.long === true && !full && names.length === 0,
    }),
  );
}

async function run(benchmark: Benchmark, signal: AbortSignal): Promise<Row['outcome']> {
  console.error(`${benchmark.name} ...`);
  const folder = await mkdtemp(join(tmpdir(), 'fanfold-bench-'));
  try {
    return await benchmark.run({ folder, signal });
  } catch (cause) {
    const failed = cause instanceof Error ? cause : new Error(String(cause));
    if (!signal.aborted) console.error(`${benchmark.name}: ${failed.message}`);
    return { failed };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function machine(): string {
  const cores = cpus();
  const model = cores[0]?.model.trim() || 'unknown processor';
  const [load = 0] = loadavg();
  return `${cores.length} cores (${model}), ${megabytes(totalmem())} memory, ${process.platform} ${process.arch}, Node ${process.version}, load ${load.toFixed(2)} before the run`;
}

main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
