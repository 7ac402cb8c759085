import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TaskMessage } from '../../src/pipeline/working/task-message.ts';
import { InFlightJournal, readJournal } from '../../src/processes/in-flight-journal.ts';
import { openUnnamedFile } from '../../src/processes/unnamed-file.ts';

const SOURCES = join(import.meta.dirname, '../../src/processes');

let file: number;
beforeEach(() => {
  file = openUnnamedFile();
});
afterEach(() => closeSync(file));

const message = (name: string, length = 10): TaskMessage => ({
  ...{ id: name, receiptHandle: name, receiveCount: 1 },
  body: JSON.stringify(`${name}: "é`.padEnd(length, 'x')),
});
const chunkOf = (items: number) => ({
  task: 'echo',
  items: Array.from({ length: items }, (_, index) => ({ index, text: '1', value: 1 })),
});

const inHand = () => Object.values(readJournal(file).inHand);
const states = () => inHand().map(({ receiptHandle, state }) => `${receiptHandle} ${state}`);
const bodyOf = (handle: string) =>
  inHand().find(({ receiptHandle }) => receiptHandle === handle)?.body;

/** The whole file, also the lines that no longer count. */
const content = () => readFileSync(`/proc/self/fd/${file}`);

/** What is read when the file has another content. */
function readAs(bytes: Buffer) {
  const other = openUnnamedFile();
  try {
    writeSync(other, bytes);
    return JSON.stringify(readJournal(other));
  } finally {
    closeSync(other);
  }
}

describe('the journal of a worker process', () => {
  it('says which messages it holds, and how far it is with each', () => {
    const journal = new InFlightJournal(file);
    expect(readJournal(file)).toMatchObject({ receives: [0, 0], progressed: false, inHand: {} });
    const [a, b, c, d] = [message('a'), message('b'), message('c'), message('d')];
    journal.received([a, b, c]);
    journal.begun(a, chunkOf(3));
    expect(states()).toEqual(['a running', 'b waiting', 'c waiting']);
    expect(readJournal(file)).toMatchObject({ receives: [1, 0], progressed: false });
    journal.begun(b, chunkOf(3));
    journal.setup(true);
    expect(states()).toEqual(['a ran', 'b inSetup', 'c waiting']);
    journal.setup(false);
    journal.received([d]);
    journal.finished([a, b, c]);
    expect(states()).toEqual(['d waiting']);
    expect(readJournal(file)).toMatchObject({ receives: [2, 0], progressed: true });
    journal.finished([d]);
    expect(journal.isEmpty).toBe(true);
    expect(states()).toEqual([]);
  });

  it('has the body of a message that was begun, if that may be needed', () => {
    const journal = new InFlightJournal(file);
    const [small, alone, long] = [
      message('small'),
      message('alone', 900_000),
      message('long', 9_000),
    ];
    journal.received([small, alone, long]);
    expect(bodyOf('small')).toBeUndefined();
    journal.begun(small, chunkOf(3));
    journal.begun(alone, chunkOf(1));
    journal.begun(long, chunkOf(3));
    expect([bodyOf('small'), bodyOf('alone'), bodyOf('long')]).toEqual([
      small.body,
      alone.body,
      undefined,
    ]);
    // A failing setup is a failure of all items.
    journal.setup(true);
    expect(bodyOf('long')).toBe(long.body);
    expect(inHand().map(({ task }) => task)).toEqual(['echo', 'echo', 'echo']);
  });

  it('has what is known when the process exits', () => {
    const journal = new InFlightJournal(file);
    const [a, b] = [message('a'), message('b', 9_000)];
    journal.received([a, b]);
    journal.begun(a, chunkOf(3));
    journal.settled(a);
    journal.begun(b, chunkOf(3));
    const lastWords = { suspects: [1], again: [], settled: [0] };
    const unsent = [{ resultQueueUrl: 'http://127.0.0.1/results', body: '{}' }];
    const stray = { line: 'Error: boom', stack: undefined };
    const chunks = [{ receiptHandle: 'b', body: b.body, lastWords }];
    journal.exiting({ chunks, unsent, stray });
    expect(states()).toEqual(['a settled', 'b running']);
    expect(readJournal(file)).toMatchObject({
      unsent,
      stray: { line: 'Error: boom' },
      inHand: { b: { body: b.body, lastWords } },
    });
  });

  it('stays small, and is right wherever a killed process cuts a write off', () => {
    const journal = new InFlightJournal(file);
    let unchecked = 0;
    let begunAnew = 0;
    const note = (noting: () => void) => {
      const before = content();
      noting();
      const after = content();
      const line = after.subarray(0, after.indexOf('\n') + 1);
      const isAnew = before.length > 0 && !before.subarray(0, line.length).equals(line);
      if (isAnew) begunAnew++;
      unchecked = isAnew ? 0 : unchecked + 1;
      // The lines before are alike.
      if (unchecked > 2) return;
      const [old, fresh] = [readAs(before), readAs(after)];
      const appended = isAnew
        ? Buffer.concat([before.subarray(0, line.length), after.subarray(line.length)])
        : after;
      for (const bytes of cutOff(before, appended)) expect([old, fresh]).toContain(readAs(bytes));
      for (const bytes of cutOff(appended, after)) expect(readAs(bytes)).toBe(fresh);
    };
    const held: TaskMessage[][] = [];
    for (let receive = 0; begunAnew < 2; receive++) {
      const hand = Array.from({ length: 2 }, (_, n) => message(`${receive}-${n}`, 50_000));
      held.push(hand);
      note(() => journal.received(hand));
      for (const one of hand) note(() => journal.begun(one, chunkOf(1)));
      const [oldest] = held.length > 1 ? held.splice(0, 1) : [];
      if (oldest) note(() => journal.finished(oldest));
      expect(inHand().map(({ body }) => body)).toEqual(held.flat().map(({ body }) => body));
      expect(readJournal(file).receives).toEqual([receive + 1, 0]);
    }
    expect(content().length).toBeLessThan(4_000_000);
  });

  it('says nothing while the disk is full, and all when there is room again', () => {
    const program = `
      const { InFlightJournal, isCurrent, readJournal } = await import('${join(SOURCES, 'in-flight-journal.ts')}');
      const journal = new InFlightJournal();
      const messages = Array.from({ length: 60 }, (_, n) =>
        ({ id: '', receiptHandle: 'message ' + n, receiveCount: 1, body: 'x'.repeat(1_000) }));
      journal.received(messages);
      for (const one of messages) {
        journal.begun(one, { task: 'echo', items: [] });
        const { receiptHandle } = Object.values(readJournal(4).inHand).find(isCurrent) ?? one;
        if (receiptHandle !== one.receiptHandle) throw new Error('It misleads.');
      }
      if (process.argv[1] === 'resumes') journal.finished(messages.slice(0, -1));
    `;
    const run = (how: string) => {
      const limited = ['-c', 'ulimit -f 64; exec "$@"', 'sh', process.execPath];
      const args = [...limited, '--input-type=module', '-e', program, how];
      ftruncateSync(file);
      const { status, stderr } = spawnSync('sh', args, { stdio: [0, 1, 'pipe', 'ignore', file] });
      expect([status, `${stderr}`]).toEqual([0, '']);
    };
    run('stays full');
    expect(readJournal(file)).toMatchObject({ receives: [0, 0], progressed: false, inHand: {} });
    run('resumes');
    expect(readJournal(file)).toMatchObject({ receives: [1, 0], progressed: true });
    expect(states()).toEqual(['message 59 running']);
    expect(bodyOf('message 59')).toHaveLength(1_000);
  });
});

/** Some of the contents that a file can have while one is turned into the other by a write. */
function* cutOff(before: Buffer, after: Buffer): Generator<Buffer> {
  let first = 0;
  while (first < after.length && after[first] === before[first]) first++;
  if (first === after.length) return;
  let last = after.length;
  if (before.length >= after.length) while (after[last - 1] === before[last - 1]) last--;
  for (let part = 0; part <= 4; part++) {
    const at = first + Math.floor(((last - first) * part) / 4);
    yield Buffer.concat([after.subarray(0, at), before.subarray(at)]);
  }
}
