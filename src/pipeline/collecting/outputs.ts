import {
  type CancelledResult,
  FailedInputs,
  type FailedResult,
  notOk,
  type Result,
} from '../messages/result.ts';

/** The outputs of results that are in input order. The first that is not `ok` ends them. */
export async function* outputsOf<Output>(
  results: AsyncIterable<Result<Output>>,
): AsyncGenerator<Output, void> {
  for await (const result of results) {
    if (result.status !== 'ok') throw notOk(result);
    yield result.output;
  }
}

/**
 * The outputs of a whole run, in input order.
 *
 * @throws FailedInputs if inputs did not end `ok`
 */
export async function allOutputs<Output>(
  results: AsyncIterable<Result<Output>>,
): Promise<Output[]> {
  const outputs: { index: number; output: Output }[] = [];
  const failures: (FailedResult | CancelledResult)[] = [];
  for await (const result of results) {
    if (result.status === 'ok') outputs.push({ index: result.index, output: result.output });
    else failures.push(result);
  }
  if (failures.length > 0) throw new FailedInputs(failures, outputs.length + failures.length);
  return outputs.sort((a, b) => a.index - b.index).map(({ output }) => output);
}
