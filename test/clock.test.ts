import { CreateQueueCommand, GetQueueUrlCommand, type SQSClient } from '@aws-sdk/client-sqs';
import fc from 'fast-check';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { serviceNow, trackClock } from '../src/clock.ts';
import { Sqs } from '../src/emulator/sqs/index.ts';
import { listen } from '../src/emulator/transport/index.ts';
import { sqsOf } from '../src/endpoint/clients.ts';
import type { Connection } from '../src/endpoint/connection.ts';
import { isRefusal } from '../src/endpoint/probe.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const HOUR = 3_600_000;
const START = Date.UTC(2027, 0, 1, 12, 30, 0, 789);

type Middleware = (next: () => Promise<unknown>) => (call: unknown) => Promise<unknown>;

/** A machine with its own clock, and its client of a service whose clock is right. */
class Machine {
  now = START;
  skew = 0;
  /** Duration of its sleep, in which its monotonic clock stood still. */
  slept = 0;
  readonly client = {
    config: {},
    middlewareStack: {
      add: (middleware: unknown, { step }: { step: string }) => {
        if (step === 'deserialize') this.#middleware = middleware as Middleware;
      },
    },
  };
  #middleware: Middleware = () => {
    throw new Error('Nothing was added.');
  };

  constructor() {
    vi.spyOn(Date, 'now').mockImplementation(() => this.now + this.skew);
    vi.spyOn(performance, 'now').mockImplementation(() => this.now - this.slept);
    trackClock(this.client);
  }

  /** A call: actions until the service responds, and until the response arrives. */
  async call(before: () => void, after: () => void, headers: object = {}): Promise<void> {
    await this.#middleware(async () => {
      before();
      const date = new Date(this.now).toUTCString();
      after();
      return { response: { headers: { date, ...headers } } };
    })({});
  }

  /** How far its view of the service's time is off, in milliseconds. */
  get error(): number {
    return serviceNow(this.client) - this.now;
  }

  passes(ms: number): () => void {
    return () => {
      this.now += ms;
    };
  }
}

const call = fc.record({
  pauseMs: fc.nat(100_000),
  beforeMs: fc.oneof(fc.nat(200), fc.nat(20_000)),
  afterMs: fc.oneof(fc.nat(200), fc.nat(5_000)),
  /** Error of the clock after it is set before the call. */
  skew: fc.option(
    fc.oneof(fc.integer({ min: -3_000, max: 3_000 }), fc.integer({ min: -9e8, max: 9e8 })),
  ),
});

it('a response corrects any clock to within a second and a round trip of the service’s', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 30 }), async (calls) => {
      const machine = new Machine();
      for (const { pauseMs, beforeMs, afterMs, skew } of calls) {
        machine.passes(pauseMs)();
        if (skew !== null) machine.skew = skew;
        await machine.call(machine.passes(beforeMs), machine.passes(afterMs));
        expect(Math.abs(machine.error)).toBeLessThanOrEqual(1_000 + beforeMs + afterMs);
      }
    }),
  );
});

it('a correct clock is never changed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 30 }), async (calls) => {
      const machine = new Machine();
      for (const { pauseMs, beforeMs, afterMs } of calls) {
        machine.passes(pauseMs)();
        await machine.call(machine.passes(beforeMs), machine.passes(afterMs));
        expect(machine.error).toBe(0);
      }
    }),
  );
});

it('a long poll does not set the clock ahead', async () => {
  const machine = new Machine();
  machine.skew = HOUR;
  await machine.call(machine.passes(20_000), machine.passes(10));
  expect(machine.error).toBeLessThanOrEqual(1_000);
});

it('further responses make the clock more exact', async () => {
  for (const skew of [-HOUR, 400, HOUR]) {
    const machine = new Machine();
    machine.skew = skew;
    for (let calls = 0; calls < 100; calls++) {
      machine.passes(1_037)();
      await machine.call(machine.passes(10), machine.passes(10));
    }
    expect(Math.abs(machine.error)).toBeLessThan(40);
  }
});

it('a machine that sleeps during a call keeps its correct clock', async () => {
  const machine = new Machine();
  await machine.call(machine.passes(20), () => {
    machine.now += HOUR;
    machine.slept += HOUR;
  });
  expect(machine.error).toBe(0);
});

it('a clock that is set back during a call is corrected by its response', async () => {
  const machine = new Machine();
  await machine.call(machine.passes(20), () => {
    machine.skew = -HOUR;
    machine.now += 20;
  });
  expect(Math.abs(machine.error)).toBeLessThanOrEqual(1_040);
});

it.each([
  ['has no date', { date: undefined }],
  ['has a date that is none', { date: 'yesterday' }],
  ['is a cached one', { age: '7200' }],
])('a response that %s is ignored', async (_, headers) => {
  const machine = new Machine();
  machine.skew = -2 * HOUR;
  await machine.call(machine.passes(20), machine.passes(20), headers);
  expect(machine.error).toBe(-2 * HOUR);
});

it('the clock of a client that is not tracked is this machine’s', () => {
  vi.spyOn(Date, 'now').mockReturnValue(START);
  expect(serviceNow({})).toBe(START);
});

describe('a server that checks signatures', () => {
  const credentials = { accessKeyId: 'K', secretAccessKey: 'S' };

  /** A server whose clock is right, and the machine of its clients, whose clock is set. */
  async function serving() {
    const real = Date.now;
    const sqs = new Sqs();
    const service = sqs.signedService([credentials]);
    const here = { skew: 0, requests: 0, now: real };
    const server = await listen((request) => {
      const { skew } = here;
      here.skew = 0;
      here.requests++;
      try {
        return service(request);
      } finally {
        here.skew = skew;
      }
    });
    vi.spyOn(Date, 'now').mockImplementation(() => real() + here.skew);
    const place = { endpoint: server.url, region: 'us-east-1', credentials };
    const clients: SQSClient[] = [];
    const client = (of: Connection = place) => {
      const one = sqsOf(of);
      clients.push(one);
      return one;
    };
    onTestFinished(async () => {
      for (const one of clients) one.destroy();
      await server.close();
      sqs.close();
    });
    await client().send(new CreateQueueCommand({ QueueName: 'q' }));
    return { here, place, client };
  }

  const call = new GetQueueUrlCommand({ QueueName: 'q' });

  it('is called again once each time that the clock was set, whichever way', async () => {
    const { here, client } = await serving();
    const one = client();
    for (const to of [HOUR, -HOUR, 0, 72 * HOUR, 0, -72 * HOUR, 0]) {
      here.skew = to;
      here.requests = 0;
      for (let calls = 0; calls < 3; calls++) {
        const sentAt = performance.now();
        await one.send(call);
        const took = performance.now() - sentAt;
        expect(Math.abs(serviceNow(one) - here.now())).toBeLessThan(1_000 + took + 10);
      }
      expect(here.requests).toBe(4);
    }
  });

  it('receives from all clients the time that one of them has learned', async () => {
    const { here, client } = await serving();
    const [one, other] = [client(), client()];
    for (const to of [HOUR, 0, -HOUR, 0]) {
      here.skew = to;
      await one.send(call);
      here.requests = 0;
      await other.send(call);
      expect(here.requests).toBe(1);
    }
  });

  it('rejects a wrong secret without a retry, even if the clock is also wrong', async () => {
    const { here, place, client } = await serving();
    here.skew = HOUR;
    const thief = client({ ...place, credentials: { ...credentials, secretAccessKey: 'T' } });
    await expect(thief.send(call)).rejects.toSatisfy(isRefusal);
    here.requests = 0;
    await expect(thief.send(call)).rejects.toSatisfy(isRefusal);
    expect(here.requests).toBe(1);
  });
});
