import { describe, expect, it } from 'vitest';
import { deployHandmade as deployed, GUARDED_QUEUE } from './handmade.ts';
import type { Properties, Resource } from './template.ts';

const code = 'export const handler = async () => 1';

describe('a template is refused', () => {
  const own = (Properties: Properties) => ({ Own: { Type: 'AWS::Lambda::Function', Properties } });
  it.each<[string, Record<string, Resource>, string]>([
    [
      'that refers to nothing',
      { Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties: { A: { Ref: 'Nobody' } } } },
      'Alarm.A refers to Nobody, which the template does not have.',
    ],
    [
      'that asks for an attribute that is not there',
      {
        Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties: { A: { 'Fn::GetAtt': 'Role.Name' } } },
      },
      'Alarm.A asks for Name of Role: a AWS::IAM::Role has Arn, RoleId.',
    ],
    [
      'that uses a function that is not known',
      { Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties: { A: { 'Fn::Cidr': [] } } } },
      'Alarm.A uses Fn::Cidr, which is no intrinsic function that is known here',
    ],
    [
      'that has a resource that is not known',
      { Own2: { Type: 'AWS::Made::Up' } },
      'Own2 is a AWS::Made::Up, a type that is not known here.',
    ],
    [
      'that watches nothing',
      {
        Alarm: {
          Type: 'AWS::CloudWatch::Alarm',
          Properties: { Dimensions: [{ Name: 'QueueName', Value: 'another' }] },
        },
      },
      'Alarm watches the QueueName another, which is not there.',
    ],
    [
      'that shows nothing',
      {
        Board: {
          Type: 'AWS::CloudWatch::Dashboard',
          Properties: { DashboardBody: '{"a":[["AWS/Lambda","Errors","FunctionName","other"]]}' },
        },
      },
      'Board watches the FunctionName other, which is not there.',
    ],
    [
      'that tries again more often than Lambda does',
      {
        Config: {
          Type: 'AWS::Lambda::EventInvokeConfig',
          Properties: {
            FunctionName: { Ref: 'Own' },
            Qualifier: '$LATEST',
            MaximumRetryAttempts: 3,
          },
        },
      },
      '`maxRetryAttempts` must be a whole number from 0 to 2; got 3.',
    ],
    [
      'that has settings for a function that is not there',
      {
        Config: {
          Type: 'AWS::Lambda::EventInvokeConfig',
          Properties: { FunctionName: 'other', Qualifier: '$LATEST' },
        },
      },
      'An EventInvokeConfig is for other, which is no function here.',
    ],
    [
      'that depends on nothing',
      { Own2: { Type: 'AWS::CDK::Metadata', DependsOn: ['Nobody'] } },
      'Own2.DependsOn refers to Nobody',
    ],
    [
      'that has a function of another runtime',
      own({ Runtime: 'nodejs22.x', Code: {}, Role: '', Handler: '' }),
      'Own runs on nodejs22.x; nodejs24.x is what runs here.',
    ],
    [
      'that says more of a function than is made',
      own({ Layers: [] }),
      'Own has the property Layers, which is not known here.',
    ],
  ])('%s', async (_, resources, sentence) => {
    await expect(deployed({ code, resources })).rejects.toThrow(sentence);
  });

  it('whose event source Lambda would refuse', async () => {
    const mapping: Record<string, Resource> = {
      Mapping: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: {
          FunctionName: { Ref: 'Own' },
          EventSourceArn: { 'Fn::GetAtt': ['Dead', 'Arn'] },
        },
      },
    };
    const resources = { ...GUARDED_QUEUE, ...mapping };
    const properties = { Timeout: 31 };
    await expect(deployed({ code, resources, properties })).rejects.toThrow(
      'Queue visibility timeout: 30 seconds is less than Function timeout: 31 seconds',
    );
    await expect(deployed({ code, resources })).rejects.toThrow(
      'The provided execution role does not have permissions to call sqs:ReceiveMessage',
    );
  });
});
