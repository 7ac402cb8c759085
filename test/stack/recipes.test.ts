// The apps of docs/events.md, which test/package compiles, are synthesized here.
import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { expect, it } from 'vitest';
import { samplesOf } from '../package/packed.ts';
import { appProps, only } from './synthesis.ts';

const samples = samplesOf('docs/events.md');

/** The template of the stack of a sample. */
async function synthesized(path: string): Promise<Template> {
  const apps: App[] = [];
  class SampleApp extends App {
    constructor() {
      super(appProps());
      apps.push(this);
    }
  }
  const load = async (name: string) => {
    if (name === 'fanfold/cdk') return import('../../cdk/index.ts');
    const module = await import(name);
    return name === 'aws-cdk-lib' ? { ...module, App: SampleApp } : module;
  };
  const code = (samples.get(path) ?? '')
    .replaceAll(/^import (\{[^}]*\}) from '([^']+)';$/gm, "const $1 = await load('$2');")
    .replaceAll("'src/tasks.ts'", "'functions/tasks/index.ts'")
    .replaceAll('(path: string)', '(path)');
  const { constructor: AsyncFunction } = async () => {};
  await AsyncFunction('load', code)(load);
  const [stack] = apps.flatMap(({ node }) => node.children).filter(Stack.isStack);
  if (stack === undefined) throw new Error(`${path} makes no stack.`);
  return Template.fromStack(stack);
}

const seedOf = (template: Template, name: string) =>
  only(template, 'AWS::Lambda::Function', { FunctionName: `${name}-seed` }).logicalId;

it('a mail and a message in Slack tell of the end of a run', async () => {
  for (const path of ['infra/mail.ts', 'infra/slack.ts']) {
    const template = await synthesized(path);
    const topic = Object.keys(template.findResources('AWS::SNS::Topic'))[0];
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: { source: ['fanfold'], 'detail-type': ['Fanfold Run Ended'] },
      Targets: [
        Match.objectLike({
          Arn: { Ref: topic },
          InputTransformer: {
            InputTemplate: Match.stringLikeRegexp('<detail-ledger-ok> ok'),
            InputPathsMap: Match.objectLike({ 'detail-ledger-ok': '$.detail.ledger.ok' }),
          },
        }),
      ],
    });
  }
});

it('the next step begins after runs without failures', async () => {
  const template = await synthesized('infra/next.ts');
  const machine = Object.keys(template.findResources('AWS::StepFunctions::StateMachine'))[0];
  template.hasResourceProperties('AWS::Events::Rule', {
    EventPattern: { detail: { deployment: ['Photos'] } },
    Targets: [Match.objectLike({ Arn: { Ref: machine } })],
  });
  template.hasResourceProperties('AWS::Events::Rule', {
    EventPattern: {
      detail: {
        deployment: ['Photos'],
        task: ['resize'],
        ledger: { failed: [0], cancelled: [0] },
      },
    },
    Targets: [
      Match.objectLike({
        Arn: { 'Fn::GetAtt': [seedOf(template, 'Albums'), 'Arn'] },
        InputTransformer: {
          InputPathsMap: { 'detail-results': '$.detail.results' },
          InputTemplate:
            '{"task":"album","inputs":{"s3":"<detail-results>results.jsonl"},"results":"s3"}',
        },
      }),
    ],
  });
});

it('a schedule starts a run every night', async () => {
  const template = await synthesized('infra/nightly.ts');
  const { Properties } = only(template, 'AWS::Scheduler::Schedule', {});
  const { Arn, Input } = Properties.Target as Record<string, { 'Fn::Join': [string, unknown[]] }>;
  expect(Properties).toMatchObject({
    ScheduleExpression: 'cron(0 2 * * ? *)',
    ScheduleExpressionTimezone: 'Europe/Berlin',
  });
  expect(Arn).toEqual({ 'Fn::GetAtt': [seedOf(template, 'Photos'), 'Arn'] });
  const parts = Input?.['Fn::Join'][1].map((part) => (typeof part === 'string' ? part : 'inbox'));
  expect(JSON.parse(parts?.join('') ?? '')).toEqual({
    task: 'resize',
    inputs: { s3: 's3://inbox/photos.jsonl' },
    results: 's3',
  });
  template.hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: {
      Statement: [
        Match.objectLike({ Action: 'lambda:InvokeFunction', Resource: Match.arrayWith([Arn]) }),
      ],
    },
  });
});

it('a file that lands in S3 starts a run over its inputs', async () => {
  const template = await synthesized('infra/landed.ts');
  const rule = only(template, 'AWS::Events::Rule', {
    EventPattern: Match.objectLike({ source: ['aws.s3'], 'detail-type': ['Object Created'] }),
  });
  expect(rule.Properties.Targets).toEqual([
    expect.objectContaining({
      Arn: { 'Fn::GetAtt': [seedOf(template, 'Photos'), 'Arn'] },
      InputTransformer: {
        InputPathsMap: {
          'detail-bucket-name': '$.detail.bucket.name',
          'detail-object-key': '$.detail.object.key',
        },
        InputTemplate:
          '{"task":"resize","inputs":{"s3":"s3://<detail-bucket-name>/<detail-object-key>"},"results":"s3"}',
      },
    }),
  ]);
  // The bucket's events, and the permission of the rule.
  template.hasResourceProperties('Custom::S3BucketNotifications', {
    NotificationConfiguration: { EventBridgeConfiguration: {} },
  });
  template.hasResourceProperties('AWS::Lambda::Permission', {
    FunctionName: { 'Fn::GetAtt': [seedOf(template, 'Photos'), 'Arn'] },
    SourceArn: { 'Fn::GetAtt': [rule.logicalId, 'Arn'] },
  });
});
