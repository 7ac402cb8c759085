// node parse-and-print.ts INPUT.jsonl OUTPUT.jsonl
//
// What `fanfold run echo` cannot do without, and nothing else: each line parsed, its result printed.
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

const [, , input = '', output = ''] = process.argv;
const file = openSync(output, 'w');
let lines: string[] = [];
let index = 0;
for (const line of readFileSync(input, 'utf8').split('\n')) {
  if (line === '') continue;
  const result = { index, status: 'ok', output: JSON.parse(line), ms: 0, worker: '1' };
  lines.push(JSON.stringify(result));
  index += 1;
  if (lines.length === 10_000) flush();
}
flush();
closeSync(file);

function flush(): void {
  if (lines.length > 0) writeSync(file, `${lines.join('\n')}\n`);
  lines = [];
}
