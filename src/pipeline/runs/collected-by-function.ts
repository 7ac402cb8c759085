import { FanfoldError } from '../../errors.ts';
import type { Deployment } from '../run/deployment.ts';

/** The refusal to collect a run that the deployment's collector function has. */
export function collectedByFunction(
  { names }: Pick<Deployment, 'names'>,
  runId: string,
  output: string,
): FanfoldError {
  return new FanfoldError(
    'BadOption',
    `Run ${runId} is collected by the function ${names.collector}, which stores its results in ${output}: wait for its end with fanfold wait, and read its results with fanfold results. It is collected here only once that function was given up.`,
  );
}
