// node bench/served-tasks.ts URL N [CHUNK_ITEMS]
//
// Maps `echo` over N inputs in memory, on a server with running workers: the same as in
// basemanager.py, but with Fanfold. CHUNK_ITEMS limits the inputs in a message; 1 means no
// chunking. Prints {"tasks", "seconds"}, from the first input to the last result, without
// connecting.
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { connect, type Run } from '../src/index.ts';
import { newRunId } from '../src/pipeline/names.ts';

/** Inputs per seed invocation, if this program pages them itself. */
const PAGE = 1_000;

const [url = '', n = '', chunkItems] = process.argv.slice(2);
const inputs = Array.from({ length: Number(n) }, (_, index) => ({
  id: index,
  name: `item ${index}`,
  size: index % 1000,
}));
await using fanfold = await connect({ endpoint: url });
await fanfold.check('echo');
const lambda = new LambdaClient({ endpoint: url });
const began = performance.now();
const run = chunkItems === undefined ? fanfold.map('echo', inputs) : await seededAs(chunkItems);
const seen = new Set<number>();
for await (const { lines } of run.batches()) {
  for (const { index, text } of lines) {
    const { output } = JSON.parse(text) as { output: (typeof inputs)[number] };
    const { id, name, size } = inputs[index] ?? {};
    if (output.id !== id || output.name !== name || output.size !== size) {
      throw new Error(`Input ${index} has an unexpected result: ${text}.`);
    }
    if (seen.has(index)) throw new Error(`Input ${index} has two results.`);
    seen.add(index);
  }
  // The collector does not know the total of a run that it does not seed.
  if (run.ledger.ok === inputs.length) break;
}
const seconds = (performance.now() - began) / 1_000;
if (run.ledger.ok !== inputs.length)
  throw new Error(`Expected ${inputs.length} ok results; got ${run.ledger.ok}.`);
console.log(JSON.stringify({ tasks: inputs.length, seconds }));

/** Seeds page by page, as `map` does, and collects at the same time. */
async function seededAs(items: string): Promise<Run> {
  const runId = newRunId();
  const page = (first: number) => ({
    ...{ task: 'echo', runId, first, total: inputs.length, results: 'own' },
    chunkItems: Number(items),
    inputs: inputs.slice(first, first + PAGE),
  });
  const invoke = async (first: number) => {
    const Payload = JSON.stringify(page(first));
    const answer = await lambda.send(new InvokeCommand({ FunctionName: 'fanfold-seed', Payload }));
    const text = answer.Payload?.transformToString() ?? '';
    if (!text.startsWith('{"runId"'))
      throw new Error(`Unexpected response of the seed function: ${text}.`);
  };
  await invoke(0);
  void (async () => {
    for (let first = PAGE; first < inputs.length; first += PAGE) await invoke(first);
  })();
  return fanfold.collect('echo', runId);
}
