// node piscina.ts echo INPUT.jsonl OUTPUT.jsonl | sleep COUNT SECONDS | spin COUNT MILLISECONDS
//
// piscina with two threads, one task an input. Prints the seconds from the first task to the last
// result, and the number of results.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Piscina } from 'piscina';

const [what = '', first = '', second = ''] = process.argv.slice(2);
const began = performance.now();
const piscina = new Piscina({
  filename: join(import.meta.dirname, 'piscina-tasks.ts'),
  minThreads: 2,
  maxThreads: 2,
});
const inputs =
  what === 'echo'
    ? readFileSync(first, 'utf8').trimEnd().split('\n')
    : Array.from({ length: Number(first) }, () => Number(second));
const results = await Promise.all(inputs.map((input) => piscina.run(input, { name: what })));
const seconds = (performance.now() - began) / 1_000;
if (what === 'echo') {
  const lines = results.map((output, index) => JSON.stringify({ index, status: 'ok', output }));
  writeFileSync(second, `${lines.join('\n')}\n`);
}
console.log(JSON.stringify({ seconds, count: results.length }));
await piscina.close();
