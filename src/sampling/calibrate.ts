import { Run } from '../pipeline/collecting/run.ts';
import { JsonTexts } from '../pipeline/seeding/pages.ts';
import { defineTask, type Json } from '../task.ts';
import type { World } from '../worlds/world.ts';

/** Milliseconds that the pipeline itself takes for so many inputs, with all workers. */
export type PipelineTime = (inputs: number) => number;

/** Of the built-in tasks, the one that does nothing. */
const ECHO = defineTask({ name: 'echo', run: (input: Json) => input });

/** Inputs of a measurement, unless they are large. It takes about two seconds. */
const MOST_INPUTS = 300_000;

const MOST_BYTES = 20_000_000;

const BATCH = 1_000;

/** Measures the pipeline with this many inputs like these, which a task returns at once. */
export async function calibrate(
  world: World,
  texts: readonly string[],
  most: number,
): Promise<PipelineTime> {
  world.add(ECHO);
  const bytes = texts.reduce((sum, text) => sum + text.length, 0) / texts.length;
  const inputs = Math.min(most, MOST_INPUTS, Math.ceil(MOST_BYTES / bytes));
  const beganAt = performance.now();
  const run = new Run<Json>(world.deployment, ECHO.name, new JsonTexts(repeated(texts, inputs)));
  const points: Point[] = [];
  let done = 0;
  for await (const batch of run.batches()) {
    // As a consumer does that writes them.
    Buffer.from(batch.text);
    done += batch.count;
    points.push({ done, ms: performance.now() - beganAt });
  }
  return timeOf(points);
}

interface Point {
  done: number;
  ms: number;
}

/** The measured time, and beyond that time at the pace of its second half. */
function timeOf(points: readonly Point[]): PipelineTime {
  const last = points.at(-1) ?? { done: 1, ms: 0 };
  const half = points.find(({ done }) => done >= last.done / 2) ?? last;
  const first = half === last ? { done: 0, ms: 0 } : half;
  const eachMs = (last.ms - first.ms) / (last.done - first.done);
  return (inputs) =>
    points.find(({ done }) => done >= inputs)?.ms ?? last.ms + (inputs - last.done) * eachMs;
}

async function* repeated(texts: readonly string[], inputs: number) {
  for (let from = 0; from < inputs; from += BATCH) {
    const length = Math.min(BATCH, inputs - from);
    yield Array.from({ length }, (_, at) => texts[(from + at) % texts.length] ?? 'null');
  }
}
