import { InvokeCommand } from '@aws-sdk/client-lambda';
import { expect, it, onTestFinished, vi } from 'vitest';
import { defineTask } from '../../src/index.ts';
import { TaskRegistry } from '../../src/task-registry.ts';
import { openServices } from '../../src/worlds/world.ts';

it('a seed function that fails reports it in a line, without a stack trace', async () => {
  const tasks = new TaskRegistry();
  tasks.add(defineTask({ name: 'same', run: (input: number) => input }));
  const printed = vi.spyOn(console, 'error');
  const lines: string[] = [];
  const onSeedFailed = (line: string) => lines.push(line);
  const services = await openServices({ workers: 1, tasks, onSeedFailed });
  onTestFinished(() => services.close());
  const { deployment } = services;
  vi.spyOn(deployment.sqs, 'send').mockRejectedValue(new Error('disk gone'));
  const { FunctionError } = await deployment.lambda.send(
    new InvokeCommand({
      FunctionName: deployment.names.seed,
      Payload: JSON.stringify({ task: 'same', inputs: [1] }),
    }),
  );
  expect(FunctionError).toBe('Unhandled');
  expect(lines).toEqual([expect.stringMatching(/^A page was not queued: .*disk gone$/)]);
  expect(printed).not.toHaveBeenCalled();
});
