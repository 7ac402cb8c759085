import { expect, it } from 'vitest';
import { Window } from '../../../src/pipeline/seeding/window.ts';

it('a full window opens again each time that results are consumed', async () => {
  const window = new Window({ bytes: 100, ordered: false });
  const events: string[] = [];
  window.seeded(10, 100);
  window.taken(1, 10);
  for (let page = 1; page <= 3; page++) {
    void window.room().then(() => events.push(`page ${page}`));
    await new Promise(setImmediate);
    expect(events).toHaveLength(page - 1);
    window.taken(5, 50);
    await expect.poll(() => events, { timeout: 5_000 }).toHaveLength(page);
    window.seeded(5, 50);
  }
  expect(events).toEqual(['page 1', 'page 2', 'page 3']);
});
