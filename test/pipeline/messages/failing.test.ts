import { expect, it } from 'vitest';
import {
  inARow,
  isFailing,
  type Outage,
  parsedFailing,
  probingFlow,
} from '../../../src/pipeline/messages/failing.ts';
import { isFlow } from '../../../src/pipeline/messages/flow.ts';
import { noticeBody, readNotice } from '../../../src/pipeline/messages/notice.ts';
import { newRunId } from '../../../src/pipeline/names.ts';
import { tagTexts } from '../../../src/pipeline/run/tags.ts';

it('a limit is a share and a time', () => {
  expect(parsedFailing('50%/1m')).toEqual({ share: 0.5, seconds: 60 });
  expect(parsedFailing('12.5%/1.5h')).toEqual({ share: 0.125, seconds: 5_400 });
  for (const text of ['0%/1m', '101%/1m', '50', '50%', '50%/0s', '50%/x', '50%/1d', '-5%/1m', 5]) {
    expect(isFailing(text)).toBe(false);
  }
});

it.each([
  ['50%/1s', '60/m'],
  ['50%/1m', '10/m'],
  ['50%/70s', '8.571/m'],
  ['50%/24h', '1/m'],
] as const)('during an outage, a run with %s tries %s', (limit, rate) => {
  expect(probingFlow(limit)).toEqual({ lanes: 1, concurrency: 1, rate });
  expect(isFlow(probingFlow(limit))).toBe(true);
});

it('a run that is slower than that tries no more than its own rate', () => {
  expect(probingFlow('50%/1m', '5/h')).toMatchObject({ rate: '5/h' });
  expect(probingFlow('50%/1m', '20/m')).toMatchObject({ rate: '10/m' });
});

it('the more of the inputs may fail, the more in a row are no accident', () => {
  expect([0.01, 0.5, 0.9, 1].map(inARow)).toEqual([10, 10, 66, 100]);
});

it('a tag holds the reason of an outage, in the characters and the length that AWS allows', () => {
  const outage: Outage = { since: 1_796_057_364_222, reason: `63 % of 20 “ü”, ${'é'.repeat(500)}` };
  const texts = Object.values(tagTexts({ outage, pauseWhenFailing: '50%/1m' }));
  expect(texts).toHaveLength(2);
  for (const text of texts) expect(text).toMatch(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,256}$/u);
});

it('a notice of failures fits, whatever the error, and one with a wrong limit is refused', () => {
  const runId = newRunId();
  const about = { notice: 'failing', id: crypto.randomUUID(), failed: 12 } as const;
  const notice = { ...about, error: '\u001b'.repeat(120), limit: '50%/1m' } as const;
  expect(readNotice(noticeBody(runId, notice), runId)).toMatchObject(notice);
  const wrong = noticeBody(runId, notice).replace('50%', '500%');
  expect(() => readNotice(wrong, runId)).toThrow('Expected a notice');
});
