// node p-map.ts fanfold|p-map COUNT [INDEX]
//
// Maps a trivial function over numbers in this process, 100 at once. INDEX is the built package's
// main file. Prints the seconds from the first task to the last result.
import pMap from 'p-map';

const [which = '', count = '', index = ''] = process.argv.slice(2);
const inputs = Array.from({ length: Number(count) }, (_, at) => at);
const double = async (input: number) => input * 2;
const began = performance.now();
let outputs: number[];
if (which === 'p-map') {
  outputs = await pMap(inputs, double, { concurrency: 100 });
} else {
  const { connect, defineTask } = (await import(index)) as typeof import('../../src/index.ts');
  const task = defineTask({ name: 'double', concurrency: 100, run: double });
  await using fanfold = await connect({ workers: 1 });
  outputs = await fanfold.map(task, inputs).all();
}
const seconds = (performance.now() - began) / 1_000;
if (outputs.length !== inputs.length || outputs.at(-1) !== 2 * (inputs.length - 1)) {
  throw new Error(`Expected ${inputs.length} outputs; got ${outputs.length}.`);
}
console.log(JSON.stringify({ seconds, count: outputs.length }));
process.exit(0);
