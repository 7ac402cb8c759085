import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { Fanfold } from './fanfold.ts';
import type { FanfoldProps } from './props.ts';

/**
 * What cdk-nag's AwsSolutions rules find in a deployment that is meant to be so, each with its
 * reason: for apps that are checked by them. What is granted to the tasks is its granter's to explain.
 */
export function acknowledgeRules(
  fanfold: Fanfold,
  runQueues: string,
  { vpc, inputBuckets = [] }: FanfoldProps,
): void {
  const { resultQueue, seedRole, workerRole, operatorPolicy } = fanfold;
  const acknowledge = (of: IConstruct, rule: string, reason: string) =>
    Validations.of(of).acknowledge({ id: `AwsSolutions::AwsSolutions-${rule}`, reason });
  const wildcard = (of: IConstruct, resource: string, reason: string) =>
    acknowledge(of, `IAM5[Resource::${asFound(fanfold, resource)}]`, reason);

  acknowledge(
    resultQueue,
    'SQS3',
    'Results wait for whoever reads them: to move one away that was received often would lose it.',
  );
  const forRuns =
    'Each run has a queue of its own, whose name begins so and ends with the id of the run.';
  wildcard(seedRole, runQueues, forRuns);
  wildcard(workerRole, runQueues, forRuns);
  wildcard(operatorPolicy, runQueues, forRuns);
  const traces = 'X-Ray knows no resources for traces';
  wildcard(seedRole, '*', `${traces}.`);
  wildcard(
    workerRole,
    '*',
    `${traces}${vpc ? ', nor EC2 for the network interfaces of functions' : ''}.`,
  );
  wildcard(operatorPolicy, '*', 'SQS knows no resources for ListQueues, by which runs are found.');
  // A bucket of another stack has the name of its export only when references are resolved, which
  // is between the app's end and the rules.
  seedRole.node.addValidation({
    validate: () => {
      for (const bucket of inputBuckets) {
        wildcard(
          seedRole,
          bucket.arnForObjects('*'),
          'Any object of an input bucket may be inputs.',
        );
      }
      return [];
    },
  });
}

/** A resource as cdk-nag writes it: references in angle brackets, but for other stacks' exports. */
function asFound(fanfold: Fanfold, resource: string): string {
  const flat = (part: unknown): string => {
    if (typeof part === 'string') return part;
    const {
      Ref,
      'Fn::GetAtt': attribute,
      'Fn::Join': join,
      'Fn::ImportValue': exported,
    } = part as Record<string, unknown>;
    if (typeof exported === 'string') return exported;
    if (Array.isArray(attribute)) return `<${attribute.join('.')}>`;
    if (Array.isArray(join)) return (join[1] as unknown[]).map(flat).join(String(join[0]));
    return `<${Ref}>`;
  };
  return flat(Stack.of(fanfold).resolve(resource));
}
