import { type AssetStaging, Stack } from 'aws-cdk-lib';
import type { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';

/** Placeholder for values known only at deployment, for synthesis to load a function's code. */
export const LATER = 'known-at-deployment';

/** A function's code as it will be uploaded, with the variables of the template. */
export interface FinishedCode {
  folder: string;
  env: Readonly<Record<string, string>>;
  /** Names of the user's variables that are `LATER`. */
  later: readonly string[];
}

export function finishedCode(function_: NodejsFunction): FinishedCode {
  const asset = function_.node.findChild('Code').node.findChild('Stage') as AssetStaging;
  const { environment } = function_.node.defaultChild as CfnFunction;
  const { variables = {} }: { variables?: Record<string, unknown> } =
    Stack.of(function_).resolve(environment) ?? {};
  const env: Record<string, string> = {};
  const later: string[] = [];
  for (const [name, value] of Object.entries(variables)) {
    env[name] = typeof value === 'string' ? value : LATER;
    if (typeof value !== 'string' && !name.startsWith('FANFOLD_')) later.push(name);
  }
  return { folder: asset.absoluteStagedPath, env, later };
}
