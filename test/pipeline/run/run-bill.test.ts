import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ResultDraft, readResults } from '../../../src/pipeline/messages/result-message.ts';
import { fieldsOf, readUsed, type Used } from '../../../src/pipeline/messages/used.ts';
import { newRunId } from '../../../src/pipeline/names.ts';
import { clientMeter } from '../../../src/pipeline/run/client-meter.ts';
import { Meter } from '../../../src/pipeline/run/meter.ts';
import { RunBill } from '../../../src/pipeline/run/run-bill.ts';

const nothing = { region: 'us-east-1', usedFor: () => undefined };

function used(id: string, ms: number, more: Partial<Used> = {}): Used {
  const none = { standard: 0, fair: 0, fifo: 0, put: 0, get: 0, bytes: 0, tailMs: 0 };
  return { id, memoryMb: 512, isArm: true, ms, invocations: 1, ...none, ...more };
}

describe('the bill of a run', () => {
  it('is the same whether reports arrive twice, out of order or not at all', () => {
    const reports = [1, 2, 3, 4].flatMap((n) => [
      used('one', n * 1000, { standard: n * 3, invocations: n }),
      used('two', n * 500, { fair: n, isArm: false, memoryMb: 2048 }),
    ]);
    const all = new RunBill(nothing, 'r');
    for (const report of reports) all.add(report);
    const some = new RunBill(nothing, 'r');
    // The last of each, then older ones, and one that comes twice.
    for (const at of [6, 7, 2, 2, 5, 6]) some.add(reports[at] ?? expect.fail());
    expect(some.usage).toEqual(all.usage);
    expect(all.usage).toMatchObject({
      gbSeconds: { arm64: 2, x86_64: 4 },
      invocations: 5,
      sqs: { standard: 12, fair: 4, fifo: 0 },
      isLeast: false,
    });
  });

  it('goes on from what an earlier collector saved, with what workers report anew', () => {
    const first = new RunBill(nothing, 'r');
    first.add(used('one', 1000));
    first.add(used('two', 2000, { put: 1 }));
    const second = new RunBill(nothing, 'r', first.save());
    second.add(used('two', 3000, { put: 2 }));
    second.add(used('one', 900));
    expect(second.usage).toMatchObject({ gbSeconds: { arm64: 2 }, s3: { put: 2 } });
  });

  it('adds what live workers are certain to use, and not what dead ones would have', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const bill = new RunBill(nothing, 'r');
    const seconds = () => bill.usage.gbSeconds.arm64;
    bill.add(used('one', 2000, { tailMs: 5000 }));
    bill.add(used('two', 2000, { tailMs: 5000 }));
    expect(seconds()).toBe(7);
    // Its end, and a report from before that arrives later.
    bill.add(used('one', 6000));
    bill.add(used('one', 5000, { tailMs: 5000 }));
    expect(seconds()).toBe(6.5);
    vi.advanceTimersByTime(60_000);
    expect(seconds()).toBe(4);
  });

  it('has a bound on its memory, and says that it is incomplete beyond', () => {
    const bill = new RunBill(nothing, 'r');
    for (let n = 0; n < 100_000; n++) bill.add(used(`w${n}`, 1000));
    expect(bill.usage).toMatchObject({ invocations: 100_000, isLeast: false });
    bill.add(used('another', 1000));
    bill.add(used('w5', 2000));
    expect(bill.usage).toMatchObject({ invocations: 100_000, isLeast: true });
    expect(bill.usage.gbSeconds.arm64).toBeCloseTo(50_000.5, 3);
  });
});

describe('what a worker has used, in its messages', () => {
  const runId = newRunId();
  const message = (more?: Used) => {
    const draft = new ResultDraft();
    draft.add(3, '{"index":3,"status":"ok","output":"x","ms":1}', true);
    return draft.body(runId, 'a "worker"', undefined, more && fieldsOf(more));
  };

  it('is read beside its results, which are as without it', () => {
    const one = used('k3f9x2ab.0', 1234.2, { fifo: 7, bytes: 12 });
    expect(readUsed(message(one))).toEqual({ ...one, ms: 1235 });
    expect(readUsed(message())).toBeUndefined();
    const [plain, metered] = [message(), message(one)].map((body) => readResults(body, runId));
    expect(metered?.text).toBe(plain?.text);
    expect(metered?.ok).toEqual([[3, 3]]);
    // It is in each message once.
    expect(message(one).length - message().length).toBeLessThan(80);
  });

  it('may come without results, which earlier collectors take as none', () => {
    const body = new ResultDraft().body(runId, 'w', undefined, fieldsOf(used('one', 5)));
    expect(readUsed(body)).toEqual(used('one', 5));
    expect(readResults(body, runId).count).toBe(0);
  });

  it.each([
    '["one",512,1,5,1,0,0,0,0,0,0]',
    '["one",512,1,-5,1,0,0,0,0,0,0,0]',
    '["one",512,1,1e9,1,0,0,0,0,0,0,0]',
    '["one",512,2,5,1,0,0,0,0,0,0,0]',
    '["o\\u0022e",512,1,5,1,0,0,0,0,0,0,0]',
    '{}',
  ])('is ignored if it is %s', (text) => {
    const body = message().replace('"ok"', `"used":${text},"ok"`);
    expect(readUsed(body)).toBeUndefined();
    expect(readResults(body, runId).count).toBe(1);
  });

  it('in an output is not taken for its worker’s', () => {
    const draft = new ResultDraft();
    const output = ',"used":["one",512,1,5,1,0,0,0,0,0,0,0],';
    draft.add(0, `{"index":0,"status":"ok","output":${JSON.stringify(output)},"ms":1}`, true);
    draft.add(1, `{"index":1,"status":"ok","output":{"a":1${output}"b":2},"ms":1}`, true);
    expect(readUsed(draft.body(runId, 'w'))).toBeUndefined();
  });
});

describe('a meter', () => {
  it('gives a run that comes again after a thousand others a new account', () => {
    const meter = new Meter({ memoryMb: 128 });
    meter.begin({ fair: 2 });
    meter.workFor('first');
    const before = meter.usedFor('first');
    expect(before).toMatchObject({ memoryMb: 128, invocations: 1, fair: 2 });
    for (let n = 0; n < 1_000; n++) meter.workFor(`run ${n}`);
    expect(meter.usedFor('first')).toBeUndefined();
    meter.workFor('first');
    expect(meter.usedFor('first')).toMatchObject({ invocations: 0 });
    expect(meter.usedFor('first')?.id).not.toBe(before?.id);
  });

  it('counts INIT with the first invocation, and rounds each up', () => {
    const meter = new Meter({ memoryMb: 128, initMs: 700 });
    for (let n = 0; n < 3; n++) {
      meter.begin();
      meter.workFor('run');
      meter.end();
    }
    expect(meter.usedFor('run')?.invocations).toBe(3);
    const { ms } = meter.usedFor('run') ?? expect.fail();
    expect(ms).toBeGreaterThan(702.999);
    expect(ms).toBeCloseTo(Math.round(ms), 3);
  });

  it('of a program counts the calls for each run’s own queue, in units of 64 KiB', async () => {
    const answer = async (bytes: number) => {
      const body = Buffer.from(JSON.stringify({ Messages: [{ Body: 'x'.repeat(bytes) }] }));
      return { response: { statusCode: 200, headers: {}, body } };
    };
    let bytes = 10;
    const sqs = new SQSClient({
      ...{
        region: 'eu-west-1',
        credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
        md5: false,
        useQueueUrlAsEndpoint: false,
      },
      requestHandler: { handle: () => answer(bytes) },
    });
    const metered = clientMeter(sqs, 'eu-west-1', false);
    const [one, other] = [newRunId(), newRunId()];
    metered.usedFor(one);
    metered.usedFor(other);
    const receive = (name: string) =>
      sqs.send(new ReceiveMessageCommand({ QueueUrl: `https://sqs/1/${name}` }));
    await receive(`Photos-run-${one}`);
    bytes = 200_000;
    await receive(`Photos-run-${one}`);
    await receive(`Photos-run-${other}`);
    await receive('Photos-results');
    expect(metered.usedFor(one)).toMatchObject({ standard: 5, ms: 0, memoryMb: 0 });
    expect(metered.usedFor(other)).toMatchObject({ standard: 4 });
    expect(metered.usedFor(other)?.bytes).toBeGreaterThan(200_000);
  });
});
