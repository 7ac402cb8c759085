import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { leastBytesOf } from './flattened.ts';
import { refuse, shown } from './refuse.ts';

const OWN = /^(FANFOLD_|POWERTOOLS_)/;

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
const OF_LAMBDA =
  /^(_HANDLER|_X_AMZN_TRACE_ID|AWS_(DEFAULT_REGION|REGION|EXECUTION_ENV|LAMBDA_.*|ACCESS_KEY|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)|LAMBDA_(TASK_ROOT|RUNTIME_DIR))$/;

/** Lambda measures names and values as one JSON object. */
const MOST_BYTES = 4096;

/** @throws FanfoldPropsError when Lambda would reject a variable, or Fanfold sets it itself */
export function checkedEnvironment(
  scope: Construct,
  environment: Readonly<Record<string, string>> = {},
): Record<string, string> {
  for (const [name, value] of Object.entries(environment)) {
    if (OWN.test(name)) {
      refuse(
        scope,
        `\`environment\` is for your tasks; ${name} starts like Fanfold's own variables. Rename it.`,
      );
    }
    if (OF_LAMBDA.test(name)) {
      refuse(scope, `\`environment\` is for your tasks; Lambda sets ${name} itself. Rename it.`);
    }
    if (!/^[A-Za-z][A-Za-z0-9_]+$/.test(name)) {
      refuse(
        scope,
        `the name of a variable in \`environment\` must be two or more letters, digits and "_", and start with a letter; got ${JSON.stringify(name)}.`,
      );
    }
    if (typeof value !== 'string') {
      refuse(
        scope,
        `the value of the variable ${name} in \`environment\` must be a string; got ${shown(value)}.`,
      );
    }
  }
  return { ...environment };
}

/** @throws FanfoldPropsError when a function's variables are longer than Lambda accepts */
export function checkEnvironmentSize(
  scope: Construct,
  variables: Readonly<Record<string, string>>,
): void {
  const bytes = leastBytesOf(Stack.of(scope).resolve(variables));
  if (bytes <= MOST_BYTES) return;
  refuse(
    scope,
    `\`environment\` and Fanfold's own variables have ${bytes} bytes as JSON; Lambda allows ${MOST_BYTES}. Let the tasks read long values from Parameter Store, Secrets Manager or S3.`,
  );
}
