import { App, Stack } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Fanfold } from 'fanfold/cdk';

const stack = new Stack(new App(), 'Nightly');
const bucket = new Bucket(stack, 'Bucket');
const fanfold = new Fanfold(stack, 'Fanfold', {
  tasks: 'src/rate-limited.ts',
  inputBuckets: [bucket],
});
bucket.grantWrite(fanfold);
const inputs = { s3: `s3://${bucket.bucketName}/ids.txt` };
new Rule(stack, 'Night', {
  schedule: Schedule.cron({ hour: '2', minute: '0' }),
  targets: [
    new LambdaFunction(fanfold.seedFunction, {
      event: RuleTargetInput.fromObject({ task: 'look-up', inputs }),
    }),
  ],
});
