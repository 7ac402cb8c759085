import { afterEach, expect, it, vi } from 'vitest';
import * as shipped from '../../functions/tasks/index.ts';
import { deployedSize } from '../../src/doctor/deployed-size.ts';
import { refused, type StubOptions, stubAws } from './stub-aws.ts';

afterEach(() => vi.unstubAllEnvs());

async function size(answers: StubOptions['answers']) {
  const aws = await stubAws({ tasks: shipped, answers });
  const none = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
  for (const [name, value] of Object.entries({ ...aws.env, ...none })) vi.stubEnv(name, value);
  try {
    return await deployedSize('Photos');
  } finally {
    await aws.close();
  }
}

const worker = { FunctionName: 'Photos-worker', MemorySize: 512, Architectures: ['x86_64'] };
const room = (free: number) => ({ AccountLimit: { UnreservedConcurrentExecutions: free } });

it('is what Lambda and the seed tell', async () => {
  const answers = { 'GetFunctionConfiguration Photos-worker': worker };
  const found = await size(answers);
  expect(found).toMatchObject({ memoryMb: 512, architecture: 'x86_64', notes: [] });
  expect(found.maxConcurrency).toBeGreaterThan(1);
  expect(found.accountConcurrency).toBe(1_000);
});

it('says what the account cannot hold, as doctor does', async () => {
  const answers = {
    'GetFunctionConfiguration Photos-worker': worker,
    GetAccountSettings: room(10),
    'GetFunctionConcurrency Photos-burst': { ReservedConcurrentExecutions: 5 },
  };
  const { notes, accountConcurrency } = await size(answers);
  expect(accountConcurrency).toBe(15);
  expect(notes.join()).toMatch(/has 10 unreserved concurrent executions.*Request a higher limit/);
});

it('supposes the defaults, and says so, where AWS denies to tell', async () => {
  const denied = refused('AccessDeniedException');
  const answers = {
    'GetFunctionConfiguration Photos-worker': denied,
    GetAccountSettings: denied,
  };
  const { memoryMb, architecture, accountConcurrency, notes } = await size(answers);
  expect([memoryMb, architecture, accountConcurrency]).toEqual([1_024, 'arm64', undefined]);
  expect(notes[0]).toMatch(/supposes workers of 1024 MB on arm64.*lambda:GetFunctionConfiguration/);
  expect(notes[1]).toContain('lambda:GetAccountSettings');
});
