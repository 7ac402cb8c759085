import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { App, CfnParameter } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import { propsFromContext } from '../../cdk/context.ts';
import { Fanfold, type FanfoldProps } from '../../cdk/index.ts';
import { emptyStack, templateOf } from './synthesis.ts';

function refusal(props: FanfoldProps, stackName?: string): unknown {
  try {
    new Fanfold(emptyStack(stackName), 'Fanfold', props);
  } catch (thrown) {
    return thrown;
  }
  throw new Error('nothing was refused');
}

describe('name', () => {
  it('is the stack’s, unless it has one of its own', () => {
    for (const [props, name] of [
      [{}, 'Photos'],
      [{ name: 'my_photos-2' }, 'my_photos-2'],
      [{ name: 'x'.repeat(40) }, 'x'.repeat(40)],
    ] as const) {
      const template = templateOf(props);
      template.hasResourceProperties('AWS::SQS::Queue', { QueueName: `${name}-tasks` });
      template.hasResourceProperties('AWS::Lambda::Function', { FunctionName: `${name}-seed` });
    }
  });

  it.each([
    ['', 0],
    ['-photos', 7],
    ['my photos', 9],
    ['x'.repeat(41), 41],
  ])('refuses %j', (name, length) => {
    expect(refusal({ name })).toMatchObject({
      name: 'FanfoldPropsError',
      message: `Photos/Fanfold: a deployment's name is 1 to 40 letters, digits, "-" and "_", and starts with a letter or digit; "${name}" (${length} characters) is not.`,
    });
  });

  it('says what to do where the stack’s is too long', () => {
    const stackName = `Photos${'s'.repeat(35)}`;
    expect(refusal({}, stackName)).toMatchObject({
      message: `${stackName}/Fanfold: a deployment's name is 1 to 40 letters, digits, "-" and "_", and starts with a letter or digit; the stack's, "${stackName}" (41 characters), is not. Give the construct a \`name\` of its own.`,
    });
  });
});

describe('numbers', () => {
  it.each([
    ['maxConcurrency', 1, 'from 2 to 1000'],
    ['maxConcurrency', 1001, 'from 2 to 1000'],
    ['maxConcurrency', 2.5, 'from 2 to 1000'],
    ['maxConcurrency', Number.NaN, 'from 2 to 1000'],
    ['memorySize', 127, 'from 128 to 10240'],
    ['memorySize', 10_241, 'from 128 to 10240'],
  ])('refuse a %s of %d', (prop, value, range) => {
    expect(refusal({ [prop]: value })).toMatchObject({
      message: `Photos/Fanfold: \`${prop}\` is a whole number ${range}; ${value} came.`,
    });
  });

  it('may be known at deployment only', () => {
    const stack = emptyStack();
    const memory = new CfnParameter(stack, 'Memory', { type: 'Number' });
    expect(() => new Fanfold(stack, 'Fanfold', { memorySize: memory.valueAsNumber })).not.toThrow();
  });
});

describe('tasks', () => {
  it('refuses a module that is not there', () => {
    expect(refusal({ tasks: 'src/no-such-tasks.ts' })).toMatchObject({
      message: `Photos/Fanfold: \`tasks\` is the path of your tasks module, from the folder that the app runs in; ${resolve('src/no-such-tasks.ts')} is not there.`,
    });
    const path = join(tmpdir(), 'no-such-tasks.ts');
    expect(refusal({ tasks: path })).toMatchObject({
      message: expect.stringContaining(`${path} is not there.`),
    });
  });

  it('refuses a folder', () => {
    expect(refusal({ tasks: 'functions/tasks' })).toMatchObject({
      message: expect.stringContaining(`${resolve('functions/tasks')} is not a file.`),
    });
  });
});

describe('context', () => {
  const read = (context: object) => propsFromContext(new App({ context: { ...context } }));

  it('gives the stack its props, as texts or as what they are', () => {
    expect(
      read({ name: 'Photos', tasks: 'a.ts', memorySize: '512', maxConcurrency: 200, other: 1 }),
    ).toEqual({ name: 'Photos', tasks: 'a.ts', memorySize: 512, maxConcurrency: 200 });
    expect(read({})).toEqual({});
  });

  it.each([
    [{ maxConcurrency: 'many' }, '`maxConcurrency` is a whole number; "many" came.'],
    [{ memorySize: true }, '`memorySize` is a whole number; true came.'],
    [{ tasks: 7 }, '`tasks` is a text; 7 came.'],
  ])('refuses %j', (context, sentence) => {
    expect(() => read(context)).toThrow(`The context value ${sentence}`);
  });
});
