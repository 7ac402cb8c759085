// The app that cdk.json names: one stack, configured by context (-c name=Photos -c maxConcurrency=200).
import { App, Validations } from 'aws-cdk-lib';
import recommendedFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { AwsSolutionsChecks } from 'cdk-nag';
import { propsFromContext } from './context.ts';
import { FanfoldStack } from './fanfold-stack.ts';
import { FanfoldPropsError } from './refuse.ts';

try {
  const app = new App({ context: recommendedFlags });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const { name = 'Fanfold', ...props } = propsFromContext(app);
  new FanfoldStack(app, name, props);
} catch (error) {
  if (!(error instanceof FanfoldPropsError)) throw error;
  console.error(error.message);
  // Not by exitCode: an App synthesizes what there is of it when its process is about to end.
  process.exit(1);
}
