import { noticeBody } from '../../src/pipeline/messages/notice.ts';
import { newRunId } from '../../src/pipeline/names.ts';
import type { Random } from '../../src/worlds/planned/random.ts';

/** A message that a permitted sender other than a worker sends to a run's queue. */
export function forgedMessage(runId: string, random: Random): string {
  const other = newRunId(Date.now(), 'forged00');
  const index = random.whole(0, 40);
  const output = (text: string) => `{"index":${index},"status":"ok","output":${text},"ms":1}`;
  const results = (lines: string, ofRun: string) =>
    `{"v":1,"runId":"${ofRun}","worker":"forger","results":[\n${lines}\n]}`;
  const far = output('"forged"').replace(`${index}`, `${2 ** 32 + index}`);
  const kinds = [
    results(output('"forged"'), other),
    results(output('no JSON'), runId),
    results(`${far},\n${far}`, runId),
    noticeBody(other, { notice: 'cancel' }),
    noticeBody(runId, { notice: 'sealed' }),
  ];
  return kinds[random.whole(0, kinds.length - 1)] ?? '';
}
