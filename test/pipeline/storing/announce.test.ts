import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { expect, it } from 'vitest';
import { inProcess } from '../../../src/emulator/transport/index.ts';
import { announcerOn } from '../../../src/pipeline/storing/announce.ts';

const START = { deployment: 'Photos', runId: 'r', task: 'half', results: 's3://bucket/runs/r/' };

/** Announces a start to EventBridge, which refuses the entry with these codes before it takes it. */
async function announced(...codes: string[]) {
  let calls = 0;
  const bus: Parameters<typeof inProcess>[0] = () => {
    const ErrorCode = codes[calls++];
    const entry = ErrorCode ? { ErrorCode, ErrorMessage: 'Rate exceeded' } : { EventId: '1' };
    const answer = { FailedEntryCount: ErrorCode ? 1 : 0, Entries: [entry] };
    return Promise.resolve({ status: 200, headers: {}, body: JSON.stringify(answer) });
  };
  const events = new EventBridgeClient({
    region: 'us-east-1',
    endpoint: 'http://localhost',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    // The SDK's own type of a handler is wider than what the emulator answers.
    requestHandler: inProcess(bus) as never,
    maxAttempts: 1,
  });
  const refusals: unknown[] = [];
  await announcerOn(events, (error) => refusals.push(error)).started(START);
  return { calls, refusals };
}

it.each(['ThrottlingException', 'InternalFailure'])(
  'an event whose entry is refused with %s is put again',
  async (code) => {
    expect(await announced(code, code)).toEqual({ calls: 3, refusals: [] });
  },
);

it('an event that no retry helps is given to the caller, who goes on', async () => {
  const { calls, refusals } = await announced('AccessDeniedException', 'AccessDeniedException');
  expect(calls).toBe(1);
  expect(refusals).toEqual([
    expect.objectContaining({ message: expect.stringContaining('AccessDeniedException') }),
  ]);
});
