import { App, Stack } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Fanfold } from 'fanfold/cdk';

const app = new App();
const stack = new Stack(app, 'Photos');
const bucket = new Bucket(stack, 'Bucket', { enforceSSL: true });
const fanfold = new Fanfold(stack, 'Fanfold', {
  tasks: 'src/tasks.ts',
  memorySize: 512,
  maxConcurrency: 50,
  environment: { BUCKET: bucket.bucketName },
});
bucket.grantRead(fanfold);
