// The design's sample of a user's own CDK app.
import { App, Stack } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Fanfold } from 'fanfold/cdk';

const stack = new Stack(new App(), 'Photos');
const bucket = new Bucket(stack, 'Bucket');
const fanfold = new Fanfold(stack, 'Fanfold', {
  tasks: 'src/tasks.ts',
  memorySize: 1024,
  maxConcurrency: 200,
});
bucket.grantReadWrite(fanfold);
