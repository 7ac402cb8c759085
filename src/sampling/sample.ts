import { InputError } from '../errors.ts';
import type { Run } from '../pipeline/collecting/run.ts';
import type { RunOptions } from '../pipeline/collecting/run-options.ts';
import type { Result } from '../pipeline/messages/result.ts';
import { JsonTexts } from '../pipeline/seeding/pages.ts';
import type { Sampled } from '../planning/here.ts';
import type { Drawn } from '../planning/reservoir.ts';
import type { Measured } from '../processes/measuring.ts';

/** An input of a sample, as it was run. */
export interface SampledInput extends Sampled {
  ok: boolean;
  outputBytes: number;
}

/** A sample of the inputs, as it was run. */
export interface Sample {
  inputs: SampledInput[];
  /** What failed: kinds of errors, as sentences, with one example each. */
  failures: Map<string, number>;
  /** From the beginning of the first run to its first input, in milliseconds. */
  startMs: number;
  /** Time that running it took, in milliseconds. */
  tookMs: number;
  /** Share of the attempts' time in which a processor worked for them; undefined elsewhere. */
  cpuShare: number | undefined;
  /** Peak memory of a worker, in bytes; undefined elsewhere. */
  peakBytes: number | undefined;
  /** What it has cost, in US dollars; undefined where AWS bills nothing. */
  usd: number | undefined;
}

export interface SampleOptions {
  /** Starts a run over some of the inputs. */
  map: (inputs: JsonTexts, options: RunOptions) => Run;
  options: RunOptions;
  /** Begins to measure the workers, if they are here. */
  measure?: (() => () => Promise<Measured[]>) | undefined;
  /** Inputs that are run at least. */
  first: number;
  /** Time after which no further ones are run, in milliseconds. */
  enoughMs: number;
  onProgress?: ((done: number) => void) | undefined;
}

/** Kinds of failures to name. */
const MOST_FAILURES = 3;

/** Runs inputs: the first ones, and then as many of the others as the time allows. */
export async function runSample(drawn: readonly Drawn[], given: SampleOptions): Promise<Sample> {
  const { map, options, first, enoughMs, onProgress } = given;
  const beganAt = performance.now();
  const inputs: SampledInput[] = [];
  const failures = new Map<string, number>();
  let startMs = 0;
  let cpuShare: number | undefined;
  let peakBytes: number | undefined;
  let usd: number | undefined;
  for (let next = first; inputs.length < drawn.length; ) {
    const from = inputs.length;
    const round = drawn.slice(from, from + next);
    const measured = given.measure?.();
    const roundAt = performance.now();
    const run = map(new JsonTexts(batchOf(round), round.length), options);
    for await (const result of ofInputs(run, round)) {
      if (result.status === 'cancelled') continue;
      if (inputs.length === 0) startMs = Math.max(0, performance.now() - roundAt - result.ms);
      inputs[from + result.index] = sampledOf(result);
      onProgress?.(Object.keys(inputs).length);
      if (result.status === 'failed') note(failures, result.error);
    }
    if (run.cost) usd = (usd ?? 0) + (run.cost.usd ?? 0);
    const all = await measured?.();
    // A later round tells more: in the first one, the workers' code is compiled.
    cpuShare = all && enter(all, run.runId, inputs, from);
    peakBytes = all && Math.max(...all.map((one) => one.peakBytes));
    const tookMs = performance.now() - beganAt;
    const left = Math.floor(((enoughMs - tookMs) / tookMs) * inputs.length);
    if (left < 1) break;
    next = left;
  }
  const tookMs = performance.now() - beganAt;
  return { inputs, failures, startMs, tookMs, cpuShare, peakBytes, usd };
}

async function* batchOf(drawn: readonly Drawn[]) {
  yield drawn.map(({ text }) => text);
}

/** The results of a run. An error is that of the input as its user counts. */
async function* ofInputs(run: Run, round: readonly Drawn[]) {
  try {
    yield* run;
  } catch (error) {
    const index = error instanceof InputError ? round[error.index]?.index : undefined;
    if (!(error instanceof InputError) || index === undefined) throw error;
    throw new InputError(index, error.reason, { cause: error });
  }
}

/** What is known of an input from its result alone. */
function sampledOf(result: Exclude<Result<unknown>, { status: 'cancelled' }>): SampledInput {
  const { ms } = result;
  const attempts = result.status === 'ok' ? 1 : Math.max(1, result.error.attempts);
  const outputBytes = Buffer.byteLength(
    JSON.stringify(result.status === 'ok' ? result.output : result.error),
  );
  const all = ms * attempts;
  return { ms: all, spanMs: all, attempts, ok: result.status === 'ok', outputBytes };
}

function note(failures: Map<string, number>, error: { name: string; message: string }): void {
  const kind = `${error.name}: ${error.message}`.slice(0, 200);
  if (!failures.has(kind) && failures.size >= MOST_FAILURES) return;
  failures.set(kind, (failures.get(kind) ?? 0) + 1);
}

/** Enters what workers measured of each attempt. Returns the processors' share of their time. */
function enter(
  all: readonly Measured[],
  run: string,
  inputs: SampledInput[],
  from: number,
): number {
  const attempts = all.flatMap((one) => one.attempts.filter(({ runId }) => runId === run));
  const of = Map.groupBy(attempts, ({ index }) => index);
  let attemptsMs = 0;
  for (const [index, input] of inputs.slice(from).entries()) {
    const known = of.get(index);
    // Of a process that died, nothing is known.
    if (known === undefined || known.length < input.attempts) continue;
    const begun = known.map(({ ms, endedAt }) => endedAt - ms);
    input.attempts = known.length;
    input.ms = known.reduce((sum, { ms }) => sum + ms, 0);
    const until = Math.max(...known.map(({ endedAt }) => endedAt));
    input.spanMs = Math.max(input.ms, until - Math.min(...begun));
    attemptsMs += input.ms;
  }
  const cpuMs = all.reduce((sum, one) => sum + one.cpuMs, 0);
  return attemptsMs > 0 ? Math.min(1, cpuMs / attemptsMs) : 1;
}
