import { FanfoldError } from '../../errors.ts';
import type { PlannedRun, PlanRequest } from '../../planning/planned-run.ts';
import { plannedFrom } from './planned-from.ts';
import { Random } from './random.ts';
import { simulateApart } from './simulator.ts';

/**
 * Plans a run on AWS: simulates it in virtual time, with the real seed, workers and collector.
 *
 * @throws FanfoldError `BadOption` when there is no input or no sample
 */
export async function planRun(request: PlanRequest): Promise<PlannedRun> {
  const { inputs, inputBytes, sample, deployment, seed = '1' } = request;
  if (!(Number.isSafeInteger(inputs) && inputs > 0)) {
    throw new FanfoldError(
      'BadOption',
      `A plan needs the number of inputs, from 1; got ${inputs}. There is nothing to plan without inputs.`,
    );
  }
  if (sample.length === 0) {
    throw new FanfoldError(
      'BadOption',
      'A plan needs a sample of at least one input that was run; got none.',
    );
  }
  const random = Random.from(seed);
  const shuffled = sample
    .map((value) => ({ value, order: random.next() }))
    .sort((one, other) => one.order - other.order)
    .map(({ value }) => value);
  const simulation = {
    inputs,
    inputBytes,
    sample: shuffled,
    deployment,
    seed: random.whole(1, 2 ** 30),
  };
  const simulated = await simulateApart(simulation);
  return plannedFrom(request, simulated);
}
