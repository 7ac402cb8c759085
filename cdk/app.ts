// The app of cdk.json: one stack, configured by context (-c name=Photos -c maxConcurrency=200).
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
  // Setting exitCode would not do: an App synthesizes its incomplete tree in `beforeExit`.
  process.exit(1);
}
