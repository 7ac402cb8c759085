// @module-tag more
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Command, results } from './command.ts';
import { aUser, begin, joinLeft, printed } from './serving.ts';

const TASKS = join(import.meta.dirname, '../fixtures/served-tasks.ts');
const { folder } = aUser();

/** Two hosts, each a network namespace of its own, with a cable between them. */
const hosts = [`ff-${process.pid}-a`, `ff-${process.pid}-b`] as const;
const links = [`ff${process.pid}a`, `ff${process.pid}b`] as const;
const addresses = ['10.231.7.1', '10.231.7.2'] as const;
const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' });

/** Reason to skip the test: network namespaces need Linux and an administrator. */
function obstacle(): string | undefined {
  try {
    ip('netns', 'add', hosts[0]);
    ip('netns', 'del', hosts[0]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split('\n').at(-1) || error.message : 'unknown';
  }
}

const because = obstacle();

describe.skipIf(because !== undefined)(`two hosts${because ? ` (${because})` : ''}`, () => {
  beforeAll(() => {
    for (const host of hosts) ip('netns', 'add', host);
    ip('link', 'add', links[0], 'netns', hosts[0], 'type', 'veth', 'peer', links[1]);
    ip('link', 'set', links[1], 'netns', hosts[1]);
    for (const at of [0, 1] as const) {
      ip('-n', hosts[at], 'address', 'add', `${addresses[at]}/24`, 'dev', links[at]);
      ip('-n', hosts[at], 'link', 'set', links[at], 'up');
      ip('-n', hosts[at], 'link', 'set', 'lo', 'up');
    }
  });
  afterAll(() => {
    for (const host of hosts) ip('netns', 'del', host);
  });

  const on = (host: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Command =>
    begin(args, env, ['ip', 'netns', 'exec', host]);

  it('complete a run although their link is cut for a while', { timeout: 240_000 }, async () => {
    const [here, there] = hosts;
    const server = on(here, ['serve', '--memory', '--host', '0.0.0.0', '--tasks', TASKS]);
    const url = await printed(server, /serving (\S+),/);
    expect(url).toBe(`https://${addresses[0]}:9324`);
    const FANFOLD_JOIN = joinLeft('9324');
    const joined = { FANFOLD_JOIN, XDG_CONFIG_HOME: join(folder, 'there') };
    const at = ['--tasks', TASKS, '--workers', '2'];
    const near = on(here, ['work', '--endpoint', url, ...at]);
    const far = on(there, ['work', ...at], joined);
    await Promise.all([near, far].map((worker) => printed(worker, /(2 workers at)/)));
    const output = join(folder, 'results.jsonl');
    const lines = () => results(readFileSync(output, { encoding: 'utf8', flag: 'a+' }));
    const args = ['run', 'brief', '--range', '2000', '--output', output, '--endpoint', url];
    // Its collector is on the other side as well.
    const run = on(there, args, joined);
    await expect.poll(() => lines().length, { timeout: 30_000 }).toBeGreaterThan(100);
    ip('-n', there, 'link', 'set', links[1], 'down');
    await printed(far, /(No server responds at .* Retrying until it responds)/);
    ip('-n', there, 'link', 'set', links[1], 'up');
    await printed(far, /(The server at .* responds again)/);
    const { status, stderr } = await run.ended;
    expect(stderr).toContain('2000 inputs = 2000 ok + 0 failed + 0 cancelled');
    expect(status).toBe(0);
    const all = lines().sort((a, b) => a.index - b.index);
    expect(all.map(({ index, output }) => [index, output])).toEqual(
      Array.from({ length: 2000 }, (_, index) => [index, index]),
    );
    // Both hosts ran some inputs.
    const supervisors = new Set(all.map(({ worker }) => String(worker).replace(/-\d+$/, '')));
    expect(supervisors.size).toBe(2);
  });
});
