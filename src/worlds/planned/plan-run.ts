import { FanfoldError } from '../../errors.ts';
import type { PlannedRun, PlanRequest } from '../../planning/planned-run.ts';
import { collectorOf, extrapolated, isPart, type Part, partOf } from './parts.ts';
import { plannedFrom } from './planned-from.ts';
import { Random } from './random.ts';
import type { Simulated } from './simulate.ts';
import { simulateApart } from './simulator.ts';

/**
 * Plans a run on AWS: simulates it in virtual time, with the real seed, workers and collector.
 *
 * A large run would take too long. Of that, a part of the workers is simulated with their part of
 * the inputs; the event source and Lambda then start that part of the workers in the same time. Of
 * a run that is still too long, the middle is left out: its inputs go on at the pace of the middle
 * of the simulated ones, or at one that grows as the event source does, and use as much. The
 * collector's requests for results depend on the rate of all workers: a second simulation counts
 * them for messages at that rate.
 *
 * @throws FanfoldError `BadOption` when there is no input or no sample
 */
export async function planRun(request: PlanRequest): Promise<PlannedRun> {
  const { inputs, inputBytes, sample, seed = '1' } = request;
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
  const part = partOf(request);
  const simulation = {
    ...{ inputBytes, sample: shuffled, seed: random.whole(1, 2 ** 30) },
    ...part.simulated,
  };
  const simulated = await simulateApart(simulation);
  if (!isPart(part, request)) return plannedFrom(request, simulated, inputs);
  const perMessage = await collectedPerMessage(part, extrapolated(request, part, simulated));
  const whole = extrapolated(request, part, simulated, perMessage);
  return plannedFrom(request, whole, part.simulated.inputs);
}

/** Requests of the collector for each message of results, at the rate of all workers. */
async function collectedPerMessage(part: Part, whole: Simulated): Promise<number | undefined> {
  if (part.share === 1) return undefined;
  const { counts } = await simulateApart(collectorOf(whole));
  return counts.collected / counts.messages;
}
