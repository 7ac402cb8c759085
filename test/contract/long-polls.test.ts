import { DeleteQueueCommand } from '@aws-sdk/client-sqs';
import { expect, it, vi } from 'vitest';
import { NO_QUEUE, refusal } from './test-queue.ts';
import { inEveryWorld } from './worlds.ts';

inEveryWorld('Long polls', (world) => {
  it.runIf(world.isLocal)('a call’s WaitTimeSeconds overrides the queue’s: longer', async () => {
    const queue = await world.queue({ ReceiveMessageWaitTimeSeconds: '1' });
    let ended = false;
    const wait = queue.receive({ WaitTimeSeconds: 3 }).finally(() => {
      ended = true;
    });
    await world.arrived();
    await world.advance(2.9);
    await world.arrived();
    expect(ended).toBe(false);
    await world.advance(0.2);
    expect(await wait).toEqual([]);
  });

  it('a call’s WaitTimeSeconds overrides the queue’s: not at all', async () => {
    const queue = await world.queue({ ReceiveMessageWaitTimeSeconds: '20' });
    const start = performance.now();
    expect(await queue.receive({ WaitTimeSeconds: 0 })).toEqual([]);
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it.runIf(world.isLocal)('the queue’s WaitTimeSeconds applies if a call has none', async () => {
    const queue = await world.queue({ ReceiveMessageWaitTimeSeconds: '5' });
    const wait = queue.bodies();
    await world.arrived();
    await world.advance(4);
    await queue.send('one');
    expect(await wait).toEqual(['one']);
    const empty = queue.bodies();
    await world.arrived();
    await world.advance(5);
    expect(await empty).toEqual([]);
  });

  it('a send wakes exactly one waiting receive, the first', async () => {
    const queue = await world.queue();
    const ended: number[] = [];
    const waits = [0, 1, 2].map(async (which) => {
      const bodies = await queue.bodies({ WaitTimeSeconds: 20 });
      ended.push(which);
      return bodies;
    });
    await world.arrived();
    await queue.send('one');
    await world.arrived();
    // AWS does not specify which one.
    expect(ended).toHaveLength(1);
    if (world.isLocal) expect(ended).toEqual([0]);
    await queue.send('two');
    await world.arrived();
    expect(ended).toHaveLength(2);
    await queue.send('three');
    expect((await Promise.all(waits)).flat().sort()).toEqual(['one', 'three', 'two']);
  });

  it.runIf(world.isLocal)(
    'the end of a delay or of a visibility timeout wakes a waiting receive',
    async () => {
      const queue = await world.queue({ VisibilityTimeout: '8' });
      await queue.send('hidden');
      await queue.receive();
      await queue.send('delayed', { DelaySeconds: 4 });
      const first = queue.bodies({ WaitTimeSeconds: 20 });
      await world.arrived();
      const second = queue.bodies({ WaitTimeSeconds: 20 });
      await world.arrived();
      await world.advance(4);
      expect(await first).toEqual(['delayed']);
      await world.advance(4);
      expect(await second).toEqual(['hidden']);
    },
  );

  it('setting a visibility timeout to 0 wakes a waiting receive', async () => {
    const queue = await world.queue();
    await queue.send('one');
    const message = await queue.one();
    const wait = queue.bodies({ WaitTimeSeconds: 20 });
    await world.arrived();
    await queue.hide(message, 0);
    expect(await wait).toEqual(['one']);
  });

  it('a closed connection receives no message', async () => {
    const queue = await world.queue();
    const gone = new AbortController();
    const wait = queue.receive({ WaitTimeSeconds: 20 }, gone.signal);
    const caught = wait.catch(({ name }: Error) => name);
    await world.arrived();
    gone.abort();
    expect(await caught).toBe('AbortError');
    await world.arrived();
    await queue.send('one');
    // Received messages that were not delivered count as not received.
    const message = await queue.one({ WaitTimeSeconds: world.isLocal ? 0 : 20 });
    if (world.isLocal) expect(message.Attributes?.ApproximateReceiveCount).toBe('1');
  });

  it('a wait ends when its queue is deleted', async () => {
    const queue = await world.queue();
    const wait = refusal(queue.receive({ WaitTimeSeconds: 5 }));
    await world.arrived();
    await world.client.send(new DeleteQueueCommand({ QueueUrl: queue.url }));
    expect(await wait).toEqual(NO_QUEUE);
  });

  it.runIf(world.isLocal)('a thousand long polls use almost no processor time', async () => {
    vi.useRealTimers();
    const queue = await world.queue();
    const gone = new AbortController();
    const waits = Array.from({ length: 1000 }, () =>
      queue.receive({ WaitTimeSeconds: 20 }, gone.signal).catch(() => []),
    );
    const millisecondsOf300 = async () => {
      const before = process.cpuUsage();
      await new Promise((resolve) => setTimeout(resolve, 300));
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    };
    // The first measurements include the arrival of the requests.
    await expect.poll(millisecondsOf300, { timeout: 30_000 }).toBeLessThan(30);
    await queue.send('one');
    expect(await Promise.race(waits)).toHaveLength(1);
    gone.abort();
    await Promise.all(waits);
  });

  it.runIf(world.isInProcess)('a waiting receive sets no timer before its wait ends', async () => {
    const queue = await world.queue();
    const start = Date.now();
    const waits = [20, 10].map((WaitTimeSeconds) => queue.bodies({ WaitTimeSeconds }));
    await world.arrived();
    for (const seconds of [10, 20]) {
      await vi.advanceTimersToNextTimerAsync();
      expect(Date.now() - start).toBe(seconds * 1000);
    }
    expect(await Promise.all(waits)).toEqual([[], []]);
  });

  it.runIf(world.isInProcess)('a long poll leaves no timer behind, served or aborted', async () => {
    const queue = await world.queue();
    const gone = new AbortController();
    const aborted = queue.receive({ WaitTimeSeconds: 20 }, gone.signal).catch(() => []);
    await world.arrived();
    expect(vi.getTimerCount()).toBe(1);
    gone.abort();
    await aborted;
    expect(vi.getTimerCount()).toBe(0);
    const wait = queue.bodies({ WaitTimeSeconds: 20 });
    await world.arrived();
    await queue.send('later', { DelaySeconds: 5 });
    await queue.send('now');
    expect(await wait).toEqual(['now']);
    expect(vi.getTimerCount()).toBe(0);
  });
});
