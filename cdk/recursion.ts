import { Aws, CfnCondition, Fn, Stack, Token } from 'aws-cdk-lib';
import {
  type CfnFunction,
  type Function as LambdaFunction,
  RecursiveLoop,
} from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';

/**
 * Regions without recursive loop detection, where CloudFormation rejects the property.
 * https://github.com/aws/aws-lambda-roadmap/issues/18
 */
export const WITHOUT_RECURSIVE_LOOP = [
  'us-gov-east-1',
  'us-gov-west-1',
  'mx-central-1',
  'ap-southeast-6',
];

const CONDITION = 'FanfoldHasRecursiveLoop';

/**
 * Allows functions to send to the queue that they receive from, and to invoke themselves: by
 * default, Lambda stops that after about 16 times. The setting is omitted in regions without such a
 * limit. A stack without a fixed region decides at deployment.
 */
export function allowRecursion(scope: Construct, functions: readonly LambdaFunction[]): void {
  const { region } = Stack.of(scope);
  if (WITHOUT_RECURSIVE_LOOP.includes(region)) return;
  const recursiveLoop = Token.isUnresolved(region) ? whereKnown(scope) : RecursiveLoop.ALLOW;
  for (const one of functions) (one.node.defaultChild as CfnFunction).recursiveLoop = recursiveLoop;
}

function whereKnown(scope: Construct): string {
  const stack = Stack.of(scope);
  const isWithout = WITHOUT_RECURSIVE_LOOP.map((region) => Fn.conditionEquals(Aws.REGION, region));
  // One condition for all deployments in a stack.
  if (stack.node.tryFindChild(CONDITION) === undefined) {
    new CfnCondition(stack, CONDITION, {
      expression: Fn.conditionNot(Fn.conditionOr(...isWithout)),
    });
  }
  return Fn.conditionIf(CONDITION, RecursiveLoop.ALLOW, Aws.NO_VALUE).toString();
}
