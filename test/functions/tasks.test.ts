import fc from 'fast-check';
import { expect, it } from 'vitest';
import { echo } from '../../functions/tasks/echo.ts';
import * as tasks from '../../functions/tasks/index.ts';
import type { Json } from '../../src/index.ts';
import { TaskRegistry } from '../../src/task-registry.ts';
import { taskContext } from './task-context.ts';

it('the built-in tasks are echo, sha256 and sleep', () => {
  expect(TaskRegistry.fromModule(tasks).names()).toEqual(['echo', 'sha256', 'sleep']);
});

it('every built-in task can run more than one input in a Lambda invocation', () => {
  // A worker starts an item only if the function's 900 s outlast the item's own limit.
  for (const { name, timeoutSeconds } of TaskRegistry.fromModule(tasks).all()) {
    expect(timeoutSeconds, name).toBeLessThanOrEqual(600);
  }
});

it('echo returns any input', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (input) => {
      expect(echo.run(input as Json, taskContext())).toBe(input);
    }),
  );
});
