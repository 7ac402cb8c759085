import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from './benchmark.ts';
import { fanfold } from './fanfold.ts';
import { measureProcessor, type Timed } from './measure.ts';

/** Maps `echo` over the inputs in two worker processes, file to file, and checks every result. */
export async function runEcho(bench: Bench, inputs: EchoInputs): Promise<Timed> {
  const output = join(bench.folder, 'output.jsonl');
  const measured = await measureProcessor(
    fanfold([
      'run',
      'echo',
      '--input',
      inputs.path,
      '--overwrite',
      '--output',
      output,
      '--workers',
      '2',
      '--quiet',
    ]),
    { cwd: bench.folder, signal: bench.signal },
  );
  await checkEchoResults(output, inputs.count);
  return measured;
}

export interface EchoInputs {
  path: string;
  count: number;
}

/** Writes `count` inputs as JSON lines, about 50 bytes each. */
export async function writeEchoInputs(bench: Bench, count: number): Promise<EchoInputs> {
  const path = join(bench.folder, `${count}.jsonl`);
  await using file = await open(path, 'w');
  for (let from = 0; from < count; from += 10_000) {
    const lines: string[] = [];
    for (let index = from; index < Math.min(from + 10_000, count); index++) {
      lines.push(`${echoInput(index)}\n`);
    }
    await file.write(lines.join(''));
  }
  return { path, count };
}

/** Makes an input's JSON text, in one of four shapes. Each text is unique. */
function echoInput(index: number): string {
  switch (index % 4) {
    case 0:
      return JSON.stringify({ id: index, name: `item ${index.toString(36)}`, ready: true });
    case 1:
      return JSON.stringify({ id: index, tags: ['red', 'small'], score: (index % 1_000) / 8 });
    case 2:
      return JSON.stringify({ url: `https://photos.example/${index}.jpg`, width: 1_024 });
    default:
      return JSON.stringify({
        id: index,
        at: { x: index % 97, y: -1.5 },
        note: 'a "b"\n',
        of: null,
      });
  }
}

/** Checks that each of `count` inputs was returned unchanged, with status `ok`, exactly once. */
export async function checkEchoResults(path: string, count: number): Promise<void> {
  const seen = new Uint8Array(count);
  let lines = 0;
  for await (const line of linesOf(path)) {
    lines += 1;
    const { index, status, output } = JSON.parse(line);
    if (status !== 'ok' || JSON.stringify(output) !== echoInput(index)) {
      throw new Error(`${path}, line ${lines}: expected input ${index} unchanged; got ${line}`);
    }
    if (seen[index] !== 0) {
      throw new Error(
        `${path}, line ${lines}: index ${index} is a duplicate, or not below ${count}`,
      );
    }
    seen[index] = 1;
  }
  if (lines !== count) throw new Error(`${path}: expected ${count} results, got ${lines}`);
}

async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 20 })) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '')
    throw new Error(`${path}: the last line does not end with a line feed: ${rest.slice(0, 200)}`);
}
