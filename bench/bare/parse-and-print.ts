// node parse-and-print.ts INPUT.jsonl OUTPUT.jsonl
//
// The minimum work of `fanfold run echo`: parses each line and prints its result. Reads the file in
// pieces, which is faster here than reading it as a whole.
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

const [, , input = '', output = ''] = process.argv;
const from = openSync(input, 'r');
const to = openSync(output, 'w');
const buffer = Buffer.allocUnsafeSlow(256 * 1_024);
const decoder = new TextDecoder();
let rest = '';
let index = 0;
for (let read = readSync(from, buffer); read > 0; read = readSync(from, buffer)) {
  const lines = (rest + decoder.decode(buffer.subarray(0, read), { stream: true })).split('\n');
  rest = lines.pop() ?? '';
  let text = '';
  for (const line of lines) {
    const result = { index, status: 'ok', output: JSON.parse(line), ms: 0, worker: '1' };
    text += `${JSON.stringify(result)}\n`;
    index += 1;
  }
  writeSync(to, text);
}
closeSync(from);
closeSync(to);
