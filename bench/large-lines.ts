import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Benchmark } from './benchmark.ts';
import { fanfold } from './fanfold.ts';
import { atMost, seconds, times } from './format.ts';
import { inTurns, measureProcessor, median } from './measure.ts';

const LINES = 2_000;
const LINE_LENGTH = 100_000;
const PARSE_AND_PRINT = join(import.meta.dirname, 'bare/parse-and-print.ts');

/** Lines of 100 KB: the cost of a byte. */
export const largeLines: Benchmark = {
  name: 'large-lines',
  about: '2,000 lines of 100 KB, file to file, 2 workers; baseline: parse and print',
  async run(bench) {
    const input = join(bench.folder, 'large.jsonl');
    const words = 'a "quoted" word, é, '.repeat(LINE_LENGTH / 22);
    const lines = Array.from({ length: LINES }, (_, id) => JSON.stringify({ id, words }));
    writeFileSync(input, `${lines.join('\n')}\n`);
    const output = join(bench.folder, 'output.jsonl');
    const line = ['run', 'echo', '--input', input, '--output', output, '--overwrite', '--quiet'];
    const options = { cwd: bench.folder, signal: bench.signal };
    const bare = { program: process.execPath, args: [PARSE_AND_PRINT, input, output] };
    const [ours, baseline] = await inTurns(
      3,
      () => measureProcessor(fanfold([...line, '--workers', '2']), options),
      () => measureProcessor(bare, options),
    );
    const our = median(ours.map((run) => run.processorSeconds));
    const theirs = median(baseline.map((run) => run.processorSeconds));
    return [
      {
        what: 'processor',
        ours: seconds(our),
        baseline: seconds(theirs),
        ratio: times(our / theirs),
        goal: atMost(our / theirs, 3, times),
      },
    ];
  },
};
