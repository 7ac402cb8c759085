// node hash-files.ts PATHS.txt OUTPUT.jsonl
//
// The simplest fast loop of a bare worker: one buffer, blocking reads, one file after another.
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';

const [, , list = '', output = ''] = process.argv;
const buffer = Buffer.allocUnsafeSlow(256 * 1_024);

const results = readFileSync(list, 'utf8').trimEnd().split('\n').map(hashFile);
writeFileSync(output, `${results.join('\n')}\n`);

function hashFile(path: string): string {
  const hash = createHash('sha256');
  const file = openSync(path, 'r');
  let bytes = 0;
  for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
    hash.update(buffer.subarray(0, read));
    bytes += read;
  }
  closeSync(file);
  return JSON.stringify({ path, bytes, sha256: hash.digest('hex') });
}
