// A stack of the last release, as `npm run released` wrote it down, can become one of this.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { FanfoldStack } from '../../cdk/index.ts';
import { type Identity, identitiesOf, refusalsOf } from './replacement.ts';
import { newApp } from './synthesis.ts';

const released: Record<string, Identity> = JSON.parse(
  readFileSync(join(import.meta.dirname, 'released.json'), 'utf8'),
);

it('an update from the last release replaces nothing that it may not', () => {
  const app = newApp();
  const { Resources } = Template.fromStack(new FanfoldStack(app, 'Photos')).toJSON();
  expect(refusalsOf(released, identitiesOf(Resources))).toEqual([]);
  expect(Object.keys(released).length).toBeGreaterThan(15);
});

describe('a change that CloudFormation refuses, or that loses content, is found', () => {
  const policy = (ManagedPolicyName: string, Description: string) => ({
    Type: 'AWS::IAM::ManagedPolicy',
    replacing: { ManagedPolicyName, Description },
  });
  const queue = (QueueName: string) => ({ Type: 'AWS::SQS::Queue', replacing: { QueueName } });

  it.each<[string, Record<string, Identity>, Record<string, Identity>, string[]]>([
    ['nothing', { P: policy('p', 'a') }, { P: policy('p', 'a') }, []],
    [
      'a description',
      { P: policy('p', 'a') },
      { P: policy('p', 'b') },
      ['P is replaced, while its name is taken by the one before'],
    ],
    ['a description and the name', { P: policy('p', 'a') }, { P: policy('q', 'b') }, []],
    [
      'a logical id',
      { P: policy('p', 'a') },
      { Q: policy('p', 'a') },
      ['Q has the name of P, which is still there when it is made'],
    ],
    [
      'a queue’s name',
      { Q: queue('a') },
      { Q: queue('b') },
      ['Q is replaced, and its content lost'],
    ],
    ['a queue that is gone', { Q: queue('a') }, {}, ['Q is gone, and its content']],
    [
      'a type',
      { Q: queue('a') },
      { Q: policy('a', '') },
      ['Q is a AWS::IAM::ManagedPolicy, and was a AWS::SQS::Queue'],
    ],
  ])('%s', (_, from, to, sentences) => {
    expect(refusalsOf(from, to)).toEqual(sentences);
  });
});
