// Simulates runs without faults, and prints how long each takes in virtual milliseconds, as JSON.
//   node test/simulation/calm.ts '[{"workers": 20, "inputs": 1000, "ms": 100}]'

import type { CalmRun } from './calm-run.ts';
import { makeDeterministic } from './determinism.ts';

makeDeterministic();
// Imported only now: these modules capture their random sources when they are loaded.
const { warmUp } = await import('./clients.ts');
const { calmScenario } = await import('./calm-run.ts');
const { simulate } = await import('./simulate.ts');

await warmUp();
const plans: CalmRun[] = JSON.parse(process.argv[2] ?? '[]');
const taken: number[] = [];
for (const plan of plans) {
  const { failure, endedMs } = await simulate(calmScenario(plan));
  if (failure) throw new Error(`${failure.kind}: ${failure.message}`);
  taken.push(endedMs);
}
console.log(JSON.stringify(taken));
