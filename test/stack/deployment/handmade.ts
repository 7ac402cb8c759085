import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Resource } from './template.ts';

const ASSET_BUCKET = ['cdk-assets', '{AWS::AccountId}-', '{AWS::Region}'].join('$');

/** An assembly by hand: one function `Own`, and what else is given. */
export function writeAssembly(
  folder: string,
  {
    code,
    properties = {},
    statements = [],
    resources = {},
  }: {
    code: string;
    /** Of the function. */
    properties?: object;
    /** Of its role. */
    statements?: object[];
    resources?: Record<string, Resource>;
  },
): void {
  mkdirSync(join(folder, 'asset.own'), { recursive: true });
  writeFileSync(join(folder, 'asset.own/index.mjs'), code);
  const Resources: Record<string, Resource> = {
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: {
          Version: '2012-10-17',
          Statement: {
            Effect: 'Allow',
            Action: 'sts:AssumeRole',
            Principal: { Service: 'lambda.amazonaws.com' },
          },
        },
        Policies: [{ PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
      },
    },
    Own: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Code: { S3Bucket: { 'Fn::Sub': ASSET_BUCKET }, S3Key: 'own.zip' },
        FunctionName: 'own',
        Handler: 'index.handler',
        Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
        Runtime: 'nodejs24.x',
        ...properties,
      },
    },
    ...resources,
  };
  writeFileSync(join(folder, 'Own.template.json'), JSON.stringify({ Resources }));
  const destination = { bucketName: ASSET_BUCKET, objectKey: 'own.zip' };
  const files = {
    own: { source: { path: 'asset.own', packaging: 'zip' }, destinations: { here: destination } },
  };
  writeFileSync(join(folder, 'Own.assets.json'), JSON.stringify({ files }));
}
