import { type OnEventOptions, Rule } from 'aws-cdk-lib/aws-events';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { refuse } from './refuse.ts';

/** The construct whose runs a rule is for. */
interface EventSource extends Construct {
  readonly name: string;
  /** Emits the events. */
  readonly collectorFunction: IFunction | undefined;
}

/**
 * Makes a rule for events of a deployment's runs.
 *
 * @throws FanfoldPropsError when the deployment emits none
 */
export function runRule(
  scope: EventSource,
  id: string,
  detailType: string,
  options: OnEventOptions,
): Rule {
  if (scope.collectorFunction === undefined) {
    refuse(
      scope,
      `the rule "${id}" would receive nothing: only runs with results in S3 have events, and \`s3Results\` is false. Leave \`s3Results\` out.`,
    );
  }
  const rule = new Rule(scope, id, options);
  rule.addTarget(options.target);
  rule.addEventPattern({
    source: ['fanfold'],
    detailType: [detailType],
    detail: { deployment: [scope.name] },
  });
  return rule;
}
