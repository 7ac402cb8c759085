import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';

const PERIOD = Duration.minutes(5);

/** `<name>-watchdog`: has the collector function look for runs whose collector has died. */
export function makeWatchdog(scope: Construct, name: string, collector: IFunction): Rule {
  return new Rule(scope, 'Watchdog', {
    ruleName: `${name}-watchdog`,
    description: `Restarts collectors of ${name}'s runs that have died.`,
    schedule: Schedule.rate(PERIOD),
    targets: [
      new LambdaFunction(collector, {
        event: RuleTargetInput.fromObject({ watch: true }),
        // The next look replaces one that was not delivered.
        maxEventAge: PERIOD,
      }),
    ],
  });
}
