import { Aws, CfnCondition, Fn, Stack, Token } from 'aws-cdk-lib';
import {
  type CfnFunction,
  type Function as LambdaFunction,
  RecursiveLoop,
} from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';

/**
 * Regions without recursive loop detection, where CloudFormation refuses the property.
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
 * Lets functions send to the queue that they take from, and invoke themselves: Lambda stops that
 * after some 16 times. Left out where Lambda has no such limit; a stack that can be deployed to any
 * region decides when it is deployed.
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
  // One for all deployments of a stack.
  if (stack.node.tryFindChild(CONDITION) === undefined) {
    new CfnCondition(stack, CONDITION, {
      expression: Fn.conditionNot(Fn.conditionOr(...isWithout)),
    });
  }
  return Fn.conditionIf(CONDITION, RecursiveLoop.ALLOW, Aws.NO_VALUE).toString();
}
