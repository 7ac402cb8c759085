import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { REPOSITORY, results, TASKS } from './command.ts';
import { atTerminal } from './terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'fanfold-terminal-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
function file(name: string, lines: readonly unknown[]): string {
  writeFileSync(join(folder, name), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return join(folder, name);
}

const RESULT = /^\{.*\}$/;
const SUMMARY = /^fanfold: .* inputs = /;

// Other systems have a `script` with other options.
describe.runIf(process.platform === 'linux')('at a terminal', () => {
  it('results are printed above the progress, each whole, in windows wide and narrow', async () => {
    const inputs = file(
      'sleeps.jsonl',
      [0, 1, 0, 1, 0, 1].map((seconds) => ({ seconds })),
    );
    const screens = [100, 40].map(
      (columns) => atTerminal(`fanfold run sleep --input ${inputs} --workers 2`, columns).ended,
    );
    for (const { lines, status, written } of await Promise.all(screens)) {
      expect(status).toBe(0);
      // The progress was shown, and has been removed.
      expect(written).toMatch(/[1-9]\d?% \| \d\/6 \| 0 failed \| ETA/);
      const [summary, ...more] = lines.filter((line) => !RESULT.test(line));
      expect(summary).toMatch(SUMMARY);
      expect(more.at(-1)).toContain('npx fanfold init');
      expect(more.slice(0, -1).every((line) => /^fanfold: \w+: /.test(line))).toBe(true);
      const rest = lines.filter((line) => RESULT.test(line));
      expect(results(rest.join('\n')).map(({ index }) => index)).toHaveLength(6);
    }
  });

  it('thousands of results a second are printed above the progress', async () => {
    const { lines } = await atTerminal('fanfold run echo --range 20000 --workers 2', 80).ended;
    const printed = lines.filter((line) => RESULT.test(line)).join('\n');
    const indexes = results(printed).map(({ index }) => index);
    expect(indexes.sort((a, b) => a - b)).toEqual(Array.from({ length: 20_000 }, (_, n) => n));
    const others = lines.filter((line) => !RESULT.test(line));
    expect(others[0]).toMatch(SUMMARY);
    expect(others.every((line) => line.startsWith('fanfold: '))).toBe(true);
  });

  it('messages are printed above the progress', async () => {
    const inputs = file('wild.jsonl', ['fine', 'throws', 'is killed', 'hangs', 'fine']);
    const line = `fanfold run wild --tasks ${TASKS} --input ${inputs} --workers 1`;
    const { lines, status, written } = await atTerminal(line, 60).ended;
    expect(status).toBe(1);
    expect(written).toMatch(/\d% \| \d\/5 \| [1-9] failed/);
    expect(lines.filter((text) => RESULT.test(text))).toHaveLength(5);
    expect(lines.filter((text) => text.startsWith('fanfold: worker-1 died'))).not.toEqual([]);
    for (const text of lines) expect(text).toMatch(/^fanfold: |^\{.*\}$/);
  });

  it('lines that tasks log and print, with only their colours, are shown above the progress', async () => {
    const tasks = join(folder, 'chatty.ts');
    writeFileSync(
      tasks,
      `import { defineTask } from ${JSON.stringify(join(REPOSITORY, 'src/index.ts'))};
export const chatty = defineTask({
  name: 'chatty',
  maxAttempts: 1,
  async run(input, { log }) {
    log.info('logged', { input });
    console.log('out of ' + input);
    console.error('\\u001b[31merror of ' + input + '\\u001b[39m, \\u001b[2Jnot erased');
    process.stdout.write('half of ' + input);
    await new Promise((resolve) => setTimeout(resolve, 700));
    process.stdout.write('\\rlast words of ' + input);
    for (let line = 0; line < 5000; line++) console.log('\\rflood of ' + input + ' '.repeat(50));
    if (input === 1) process.kill(process.pid, 'SIGKILL');
    // The next input would end this line.
    await new Promise((resolve) => setTimeout(resolve, 700));
  },
});
`,
    );
    const line = `fanfold run chatty --tasks ${tasks} --range 3 --workers 2`;
    const [{ lines, status, written }, dumb] = await Promise.all([
      atTerminal(line, 90).ended,
      atTerminal('TERM=dumb fanfold run echo --range 3 --workers 1', 90).ended,
    ]);
    expect(status).toBe(1);
    expect(written).toMatch(/\d% \| \d\/3 \|/);
    expect(written).toContain('\u001b[31merror of 1\u001b[39m, \\x1b[2Jnot erased\r\n\u001b[0m');
    const clock = /^\d\d:\d\d:\d\d /;
    const texts = lines.filter((text) => clock.test(text)).map((text) => text.replace(clock, ''));
    const times = (what: RegExp) => texts.filter((text) => what.test(text)).length;
    for (const index of [0, 1, 2]) {
      const own = `chatty ${index}`;
      expect(times(RegExp(`^INFO  ${own}: flood of ${index} +$`))).toBe(5_000);
      expect(times(RegExp(`^INFO  ${own}: logged input=${index}$`))).toBe(1);
      expect(times(RegExp(`^INFO  ${own}: out of ${index}$`))).toBe(1);
      expect(times(RegExp(`^ERROR ${own}: error of ${index}, `))).toBe(1);
      // Past the console, the input is unknown.
      for (const said of ['half of', 'last words of']) {
        expect(times(RegExp(`^INFO  worker-[12]: ${said} ${index}$`))).toBe(1);
      }
    }
    const whole = /^fanfold: |^\{.*\}$|^\d\d:\d\d:\d\d (INFO |ERROR) (chatty \d|worker-\d): .|^$/;
    for (const text of lines) expect(text).toMatch(whole);
    // Nothing is redrawn without a terminal.
    expect(dumb.status).toBe(0);
    expect(dumb.written).not.toContain('\u001b');
    expect(dumb.written).not.toMatch(/\d% \|/);
  });

  it('Ctrl-C removes the progress, and leaves the results unchanged', async () => {
    const inputs = file(
      'interrupted.jsonl',
      [0, 0, 600, 600].map((ms) => ({ seconds: ms / 2 })),
    );
    const run = atTerminal(`fanfold run sleep --input ${inputs} --workers 2`, 40);
    await expect.poll(run.written, { timeout: 20_000 }).toContain('50% | 2/4');
    run.type('\u0003');
    const { lines, status } = await run.ended;
    expect(status).toBe(130);
    const [first, second, ...rest] = lines;
    expect(results(`${first}\n${second}`).map(({ status }) => status)).toEqual(['ok', 'ok']);
    expect(rest).toEqual([
      'fanfold: interrupted: 2 of 4 inputs read so far are done (2 ok, 0 failed)',
      'fanfold: use --output FILE to make a run resumable with --resume',
    ]);
  });

  it('a command without --resume asks what to do with results that are there', async () => {
    const output = join(folder, 'asked.jsonl');
    const line = `fanfold run echo --range 3 --workers 1 --output ${output}`;
    expect((await atTerminal(line, 200).ended).status).toBe(0);
    const before = readFileSync(output, 'utf8');
    const QUESTION = 'has the results of an earlier run. [r]esume, [o]verwrite or [s]top? [stop]';
    const answered = async (keys: string, { times = 1, question = QUESTION, at = line } = {}) => {
      const command = atTerminal(at, 200);
      await expect.poll(command.written, { timeout: 60_000 }).toContain(question);
      command.type(keys);
      const { lines, status, written } = await command.ended;
      expect(written.split(question)).toHaveLength(times + 1);
      return { status, last: lines.findLast((one) => !one.startsWith('fanfold: next:')) };
    };
    const stopped = { status: 2, last: expect.stringMatching(/stopped: .* is unchanged/) };
    const at = `fanfold run echo --range 3 --output ${file('others.jsonl', [1])}`;
    const ofOthers = { at, question: 'exists already. [o]verwrite or [s]top? [stop]' };
    const stops = [answered('\r'), answered('\u0004'), answered('stop\r', ofOthers)];
    expect(await answered('\u0003')).toMatchObject({ status: 130 });
    for (const stop of await Promise.all(stops)) expect(stop).toMatchObject(stopped);
    expect(readFileSync(output, 'utf8')).toBe(before);
    const resumed = { status: 0, last: expect.stringContaining('3 of them from earlier') };
    expect(await answered('what?\rr\r', { times: 2 })).toMatchObject(resumed);
    expect(readFileSync(output, 'utf8')).toBe(before);
    const overwritten = { status: 0, last: expect.not.stringContaining('from earlier') };
    expect(await answered('overwrite\r')).toMatchObject(overwritten);
    expect(results(readFileSync(output, 'utf8'))).toHaveLength(3);
  });

  it('results in a pipe may end at the terminal, so there is no progress bar', async () => {
    const inputs = file(
      'piped.jsonl',
      [0, 1, 0].map((seconds) => ({ seconds })),
    );
    const line = `fanfold run sleep --input ${inputs} --workers 1 | cat`;
    const { lines, written } = await atTerminal(line, 80).ended;
    expect(lines.filter((text) => RESULT.test(text))).toHaveLength(3);
    expect(written).not.toMatch(/% \|/);
  });

  it('results in a file contain no control sequences', async () => {
    const output = join(folder, 'redirected.jsonl');
    const line = `fanfold run echo --range 3 --workers 1 > ${output}`;
    const { lines, written } = await atTerminal(line, 80).ended;
    expect(written).toContain('0/3');
    expect(lines.every((text) => text.startsWith('fanfold: '))).toBe(true);
    expect(results(readFileSync(output, 'utf8'))).toHaveLength(3);
  });
});
