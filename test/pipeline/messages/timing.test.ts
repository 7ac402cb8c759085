import { expect, it, vi } from 'vitest';
import { readTiming, TimingDraft } from '../../../src/pipeline/messages/timing.ts';

const AT = 1_800_000_000_000;

function drafted() {
  vi.useFakeTimers({ now: AT });
  try {
    const draft = new TimingDraft();
    draft.add(300, true);
    vi.setSystemTime(AT + 200);
    draft.add(0.5, false);
    return draft.timing(5_000);
  } finally {
    vi.useRealTimers();
  }
}

it('survives a message', () => {
  const timing = drafted();
  expect(timing).toMatchObject({
    ...{ started: AT + 4_700, ended: [AT + 5_000, AT + 5_200] },
    ...{ failed: 1, ranMs: 301 },
  });
  expect(readTiming(JSON.parse(JSON.stringify(timing)), 2)).toEqual(timing);
});

it.each([
  ['nothing', undefined],
  ['text', 'soon'],
  ['another number of results', { durations: [[3, 1]] }],
  [
    'a negative count',
    {
      durations: [
        [3, 3],
        [4, -1],
      ],
    },
  ],
  ['a bucket that does not exist', { durations: [[1e9, 2]] }],
  ['a list of something else', { durations: [null, 'x'] }],
  ['more failures than results', { failed: 3 }],
  ['an end before the start', { ended: [1, 2] }],
  ['a time that is none', { started: 'now' }],
  ['one end', { ended: [AT + 5_000] }],
])('is left out of a message with %s', (_, wrong) => {
  const timing = typeof wrong === 'object' ? { ...drafted(), ...wrong } : wrong;
  expect(readTiming(timing, 2)).toBeUndefined();
});
