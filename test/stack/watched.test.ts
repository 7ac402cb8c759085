import { App, Duration, Stack, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { Fanfold, FanfoldStack } from '../../cdk/index.ts';
import { emptyStack, only } from './synthesis.ts';

const CONTEXT = { context: { 'aws:cdk:bundling-stacks': [] } };

describe('monitoring', () => {
  const stack = new FanfoldStack(new App(CONTEXT), 'Photos', {
    alarmTopicArn: 'arn:aws:sns:us-east-1:111111111111:alarms',
    maxTaskAge: Duration.hours(2),
  });
  const template = Template.fromStack(stack);
  const alarm = (id: string) =>
    only(template, 'AWS::CloudWatch::Alarm', { AlarmName: `Photos-${id}` }).Properties;

  it('has an alarm for each thing that somebody has to see to, and says what to do', () => {
    const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm'));
    expect(alarms.map(({ Properties }) => Properties.AlarmName).sort()).toEqual(
      ['DeadLetters', 'Errors', 'LostSeeds', 'Recursion', 'Stuck', 'TaskAge', 'Throttles'].map(
        (id) => `Photos-${id}`,
      ),
    );
    for (const { Properties } of alarms) {
      expect(Properties.AlarmDescription.length).toBeGreaterThan(80);
      expect(Properties.AlarmActions).toEqual(['arn:aws:sns:us-east-1:111111111111:alarms']);
      expect(Properties.TreatMissingData).toBe('notBreaching');
    }
    expect(alarm('TaskAge')).toMatchObject({ Threshold: 7200 });
    expect(alarm('DeadLetters')).toMatchObject({
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Threshold: 1,
    });
  });

  it('sees tasks that the age is blind to: in flight, and none done', () => {
    const metrics = alarm('Stuck').Metrics as { Expression?: string; MetricStat?: object }[];
    expect(metrics).toContainEqual(
      expect.objectContaining({
        Expression: 'IF(FILL(inFlight, 0) > 0 AND FILL(deleted, 0) == 0, 1, 0)',
      }),
    );
    expect(JSON.stringify(metrics)).toContain('ApproximateNumberOfMessagesNotVisible');
    expect(JSON.stringify(metrics)).toContain('NumberOfMessagesDeleted');
  });

  it('has no metric by run, of which each would cost', () => {
    const body = JSON.stringify(template.findResources('AWS::CloudWatch::Dashboard'));
    for (const metric of ['InputsOk', 'InputsFailed', 'InputsRetried', 'InputDuration']) {
      expect(body).toContain(`\\"Fanfold\\",\\"${metric}\\",\\"service\\",\\"Photos\\",{`);
    }
    expect(body).toContain("filter runId = 'RUN-ID'");
    expect(body).toMatch(/variables.*pattern.*RUN-ID/);
  });

  it('comes with the construct as well, where there is a topic', () => {
    const own = emptyStack();
    const topic = new Topic(own, 'Topic');
    const fanfold = new Fanfold(own, 'Fanfold', { alarmTopic: topic });
    expect(Object.keys(fanfold.monitoring?.alarms ?? {})).toHaveLength(7);
    expect(new Fanfold(emptyStack(), 'Fanfold').monitoring).toBeUndefined();
  });
});

describe('cdk-nag’s AwsSolutions rules', () => {
  /** What they find in a stack, and nobody has explained. */
  function findings(fill: (stack: Stack) => void): string[] {
    const app = new App(CONTEXT);
    const checks = new AwsSolutionsChecks(app);
    Validations.of(app).addPlugins(checks);
    const stack = new Stack(app, 'Photos');
    fill(stack);
    try {
      app.synth();
      return process.exitCode ? ['synthesis failed'] : [];
    } catch (error) {
      return [String(error)];
    } finally {
      process.exitCode = undefined;
    }
  }

  it('pass', () => {
    expect(findings((stack) => new Fanfold(stack, 'Fanfold'))).toEqual([]);
    const all = (stack: Stack) => {
      const inputs = Bucket.fromBucketName(stack, 'Inputs', 'inputs');
      return new Fanfold(stack, 'Fanfold', { inputBuckets: [inputs] });
    };
    expect(findings(all)).toEqual([]);
  });

  it('find what a task is granted beyond that', () => {
    const found = findings((stack) => {
      const fanfold = new Fanfold(stack, 'Fanfold');
      fanfold.workerRole.addToPolicy(
        new PolicyStatement({ actions: ['s3:*'], resources: ['arn:aws:s3:::photos/*'] }),
      );
    });
    expect(found).not.toEqual([]);
  });
});

describe('the operator’s policy', () => {
  it('is of this deployment alone', () => {
    const stack = emptyStack();
    new Fanfold(stack, 'Fanfold');
    const { Properties } = only(Template.fromStack(stack), 'AWS::IAM::ManagedPolicy', {
      ManagedPolicyName: 'Photos-operator',
    });
    const { Statement } = Properties.PolicyDocument as {
      Statement: { Action: string | string[]; Resource: unknown }[];
    };
    const anywhere = Statement.filter(({ Resource }) => Resource === '*');
    expect(anywhere.map(({ Action }) => Action)).toEqual(['sqs:ListQueues']);
    const actions = Statement.flatMap(({ Action }) => Action);
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
  });
});
