import { expect, it } from 'vitest';
import type { TestQueue } from './test-queue.ts';
import { inEveryWorld } from './worlds.ts';

async function send(queue: TestQueue, group: string | undefined, count: number): Promise<void> {
  for (let at = 0; at < count; at += 10) {
    const size = Math.min(10, count - at);
    const entries = Array.from({ length: size }, (_, n) => ({
      Id: `${n}`,
      MessageBody: group ?? 'nobody',
      MessageGroupId: group,
    }));
    await queue.batch(entries);
  }
}

async function take(queue: TestQueue, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 10) {
    await queue.receive({ MaxNumberOfMessages: Math.min(10, left) });
  }
}

// On AWS, fairness concerns shares, not single messages.
inEveryWorld('Fairness', (world) => {
  const next = async (queue: TestQueue) => (await queue.one({ MaxNumberOfMessages: 1 })).Body;

  it.runIf(world.isLocal)('a noisy group waits for quiet ones, and is not starved', async () => {
    const queue = await world.queue();
    await send(queue, 'noisy', 50);
    await take(queue, 30);
    await send(queue, 'quiet', 2);
    expect(await next(queue)).toBe('quiet');
    expect(await next(queue)).toBe('quiet');
    expect(await next(queue)).toBe('noisy');
  });

  it.runIf(world.isLocal)('a group with 29 messages in flight is not noisy', async () => {
    const queue = await world.queue();
    await send(queue, 'noisy', 50);
    await take(queue, 29);
    await send(queue, 'quiet', 1);
    expect(await next(queue)).toBe('noisy');
    expect(await next(queue)).toBe('quiet');
  });

  it.runIf(world.isLocal)(
    'a group with a tenth of all messages in flight is not noisy',
    async () => {
      const queue = await world.queue();
      await send(queue, 'noisy', 30);
      await take(queue, 30);
      for (let group = 0; group < 27; group++) await send(queue, `other${group}`, 10);
      await take(queue, 270);
      await send(queue, 'noisy', 2);
      await send(queue, 'quiet', 2);
      // 30 of 300; then 31 of 301.
      expect(await next(queue)).toBe('noisy');
      expect(await next(queue)).toBe('quiet');
    },
  );

  it.runIf(world.isLocal)('a group whose messages are deleted is quiet again', async () => {
    const queue = await world.queue();
    await send(queue, 'noisy', 50);
    const [first] = await queue.receive({ MaxNumberOfMessages: 1 });
    await take(queue, 29);
    await send(queue, 'quiet', 1);
    await queue.delete(first ?? {});
    expect(await next(queue)).toBe('noisy');
  });

  it.runIf(world.isLocal)('a group that takes the processing time waits for others', async () => {
    const queue = await world.queue();
    await send(queue, 'busy', 10);
    const first = await queue.one({ MaxNumberOfMessages: 1 });
    await world.advance(5);
    await send(queue, 'quiet', 1);
    await queue.delete(first);
    expect(await next(queue)).toBe('quiet');
    expect(await next(queue)).toBe('busy');
  });

  it.runIf(world.isLocal)(
    'of two noisy groups, the one that has taken less time is next',
    async () => {
      const queue = await world.queue();
      await send(queue, 'one', 30);
      await send(queue, 'other', 3);
      const bodies: string[] = [];
      for (let at = 0; at < 12; at++) {
        const message = await queue.one({ MaxNumberOfMessages: 1 });
        bodies.push(message.Body ?? '');
        await world.advance(2);
        await queue.delete(message);
      }
      const alone = Array.from({ length: 6 }, () => 'one');
      expect(bodies).toEqual(['one', 'other', 'one', 'other', 'one', 'other', ...alone]);
    },
  );

  it.runIf(world.isLocal)(
    'a group’s processing time is remembered while it has a message',
    async () => {
      const queue = await world.queue({ VisibilityTimeout: '5' });
      await send(queue, 'busy', 1);
      expect(await next(queue)).toBe('busy');
      await world.advance(6);
      // Its one message becomes visible again, and is received again and released.
      expect(queue.peek()).toEqual([['busy', 'visible']]);
      await send(queue, 'quiet', 1);
      expect(await next(queue)).toBe('quiet');
      await queue.hide(await queue.one({ MaxNumberOfMessages: 1 }), 0);
      await send(queue, 'quiet', 1);
      expect(await next(queue)).toBe('quiet');
    },
  );

  it.runIf(world.isLocal)('a group without messages is forgotten', async () => {
    const queue = await world.queue();
    await send(queue, 'busy', 1);
    const message = await queue.one({ MaxNumberOfMessages: 1 });
    await world.advance(20);
    await queue.delete(message);
    await send(queue, 'busy', 1);
    await send(queue, 'new', 1);
    expect(await next(queue)).toBe('busy');
  });

  it.runIf(world.isLocal)('a group alone keeps the order in which it became visible', async () => {
    const queue = await world.queue({ VisibilityTimeout: '3' });
    for (const body of '012345') await queue.send(body, { MessageGroupId: 'only' });
    const bodies: (string | undefined)[] = [];
    for (let at = 0; at < 8; at++) {
      bodies.push(await next(queue));
      await world.advance(1);
    }
    // Each is visible again after its timeout, behind the waiting ones.
    expect(bodies.join('')).toBe('01234501');
  });

  it.runIf(world.isLocal)('messages of no group are never noisy', async () => {
    const queue = await world.queue();
    await send(queue, undefined, 50);
    await take(queue, 40);
    await send(queue, 'quiet', 1);
    expect(await next(queue)).toBe('nobody');
  });
});
