import type { App } from 'aws-cdk-lib';
import type { FanfoldProps } from './fanfold.ts';
import { tasksOfProject } from './project.ts';
import { FanfoldPropsError } from './refuse.ts';

/** The stack's props, from the app's context: `cdk.json`, or `-c maxConcurrency=200`. */
export function propsFromContext(app: App): FanfoldProps {
  const text = (key: keyof FanfoldProps, otherwise?: unknown): string | undefined => {
    const value = app.node.tryGetContext(key) ?? otherwise;
    if (value === undefined || typeof value === 'string') return value;
    throw wrong(key, 'a text', value);
  };
  // What comes by -c is a text, what comes from cdk.json a number.
  const number = (key: keyof FanfoldProps): number | undefined => {
    const value = app.node.tryGetContext(key);
    if (value === undefined || typeof value === 'number') return value;
    if (typeof value === 'string' && /^\d+$/.test(value)) return Number(value);
    throw wrong(key, 'a whole number', value);
  };
  const props = {
    name: text('name'),
    tasks: text('tasks', tasksOfProject(process.cwd())),
    memorySize: number('memorySize'),
    maxConcurrency: number('maxConcurrency'),
  };
  return Object.fromEntries(Object.entries(props).filter(([, value]) => value !== undefined));
}

function wrong(key: string, expected: string, came: unknown): FanfoldPropsError {
  return new FanfoldPropsError(
    `The context value \`${key}\` is ${expected}; ${JSON.stringify(came)} came.`,
  );
}
