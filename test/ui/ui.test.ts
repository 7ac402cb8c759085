import { once } from 'node:events';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { htmlOf } from '../../src/ui/live-html.ts';
import { type ServedUi, serveUi } from '../../src/ui/serve-ui.ts';
import { FakeRuns, RUN_ID } from './fake-runs.ts';
import { PageClient } from './page-client.ts';

const PAGE = { script: 'console.log(1)', style: 'p { color: red }' };
const html = async () => htmlOf(PAGE, 'Fanfold', '<p></p>');

let runs: FakeRuns;
let served: ServedUi;
let client: PageClient;

beforeEach(async () => {
  runs = new FakeRuns();
  served = await serveUi(runs, { html });
  client = new PageClient(served.address);
});

afterEach(() => served.close());

const ACTION = `/api/runs/${RUN_ID}/cancel`;

describe('a live page', () => {
  it('is for one browser: the token works once, and only in the body of a POST', async () => {
    expect((await client.get(`/api/runs?token=${client.token}`)).status).toBe(401);
    const wrong = await client.enter('guess');
    expect([wrong.status, await wrong.text()]).toEqual([401, expect.stringContaining('wrong')]);
    const entered = await client.enter();
    expect(entered.status).toBe(204);
    const [name, port] = [/^fanfold-\d+=[\w-]{43};/, new URL(served.address).port];
    expect(entered.headers.get('set-cookie')).toMatch(name);
    expect(entered.headers.get('set-cookie')).toMatch(`fanfold-${port}=`);
    expect(entered.headers.get('set-cookie')).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/);
    expect((await client.get('/api/runs')).status).toBe(200);
    const again = await client.enter();
    expect([again.status, await again.text()]).toEqual([401, expect.stringContaining('once')]);
  });

  it('shows nothing of a run without the cookie', async () => {
    const paths = [
      '/api/runs',
      `/api/runs/${RUN_ID}/events`,
      `/api/runs/${RUN_ID}/inputs/0`,
      '/api/x',
    ];
    for (const path of paths) expect([path, (await client.get(path)).status]).toEqual([path, 401]);
    client.cookie = `${`fanfold-${new URL(served.address).port}`}=guess`;
    expect((await client.post(ACTION, {})).status).toBe(401);
    expect([runs.looks, runs.acts]).toEqual([0, []]);
  });

  it('refuses other host names, which an attacker may have resolve to this machine', async () => {
    await client.enter();
    const statusFor = (host: string) => client.statusWith(host, '/api/runs');
    const { host, port } = new URL(served.address);
    expect(await statusFor(host)).toBe(200);
    expect(await statusFor(`localhost:${port}`)).toBe(200);
    for (const other of [`evil.example:${port}`, '127.0.0.1', `127.0.0.1.evil.example:${port}`]) {
      expect([other, await statusFor(other)]).toEqual([other, 403]);
    }
  });

  it('refuses what other sites have a browser send', async () => {
    await client.enter();
    const statusOf = async (headers: Record<string, string>) =>
      (await client.post(ACTION, {}, headers)).status;
    expect(await statusOf({ origin: 'http://evil.example' })).toBe(403);
    expect(await statusOf({ origin: 'null' })).toBe(403);
    expect(await statusOf({ 'content-type': 'text/plain' })).toBe(415);
    expect((await client.get('/api/runs', { origin: 'http://evil.example' })).status).toBe(403);
    const url = `${client.origin}${ACTION}`;
    const headers = { cookie: client.cookie ?? '', 'content-type': 'application/json' };
    expect((await fetch(url, { method: 'POST', headers, body: '{}' })).status).toBe(403);
    expect(runs.acts).toEqual([]);
  });

  it('changes nothing by GET', async () => {
    await client.enter();
    for (const action of ['cancel', 'pause', 'unpause', 'set']) {
      const response = await client.get(`/api/runs/${RUN_ID}/${action}`);
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    }
    expect((await client.get('/api/session')).status).toBe(405);
    expect(runs.acts).toEqual([]);
  });

  it('passes actions on', async () => {
    await client.enter();
    const act = async (action: string, body: unknown) =>
      (await client.post(`/api/runs/${RUN_ID}/${action}`, body)).status;
    const knobs = { concurrency: 3, rate: null };
    expect([await act('pause', {}), await act('unpause', {})]).toEqual([204, 204]);
    expect([await act('set', knobs), await act('cancel', {})]).toEqual([204, 204]);
    expect(runs.acts).toEqual([
      ['pause', RUN_ID],
      ['unpause', RUN_ID],
      ['set', RUN_ID, knobs],
      ['cancel', RUN_ID],
    ]);
    expect([await act('set', 'text'), await act('set', { long: 'x'.repeat(70_000) })]).toEqual([
      400, 413,
    ]);
  });

  it('answers hostile paths with a sentence', async () => {
    await client.enter();
    const ids = [
      '..%2f..%2fetc',
      '%00',
      '%',
      '__proto__',
      'a'.repeat(500),
      '<script>',
      '20261123T165514123',
    ];
    for (const id of ids) {
      const response = await client.get(`/api/runs/${id}/events`);
      expect([id, response.status]).toEqual([id, 404]);
      expect(await response.json()).toEqual({ error: expect.any(String) });
    }
    const input = await client.get(`/api/runs/${RUN_ID}/inputs/7`);
    expect([input.status, await input.json()]).toEqual([400, { error: 'There is no input 7.' }]);
    expect((await client.get(`/api/runs/${RUN_ID}/constructor`)).status).toBe(404);
    expect((await client.get('/constructor')).status).toBe(404);
  });

  it('runs only its own script, and is in no frame and no cache', async () => {
    const { headers, status } = await client.get('/');
    expect(status).toBe(200);
    const policy = headers.get('content-security-policy');
    expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-/);
    expect(policy).toContain("connect-src 'self'; frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect([headers.get('x-content-type-options'), headers.get('cache-control')]).toEqual([
      'nosniff',
      'no-store',
    ]);
  });
});

describe('the events of a run', () => {
  it('are whole snapshots when something has changed, and then the end', async () => {
    await client.enter();
    const seen: string[] = [];
    for await (const { event, data } of client.events(RUN_ID)) {
      seen.push(event === 'run' ? String(JSON.parse(data).report.statistics.ledger.ok) : event);
      if (event === 'end') break;
      if (runs.ok === 0) {
        const looks = runs.looks;
        // Nothing has changed at these looks.
        await vi.waitFor(() => expect(runs.looks).toBeGreaterThan(looks + 1), 3_000);
        runs.ok = 40;
      } else {
        runs.ok = 100;
        runs.state = 'ended';
        await served.now();
      }
    }
    expect(seen).toEqual(['0', '40', '100', 'end']);
  });

  it('go to all pages, and to those that come back', async () => {
    await client.enter();
    const first = async () => (await client.events(RUN_ID).next()).value?.event;
    expect(await Promise.all([first(), first(), first()])).toEqual(['run', 'run', 'run']);
    runs.state = 'ended';
    const events = await Array.fromAsync(client.events(RUN_ID), ({ event }) => event);
    expect(events.slice(-2)).toEqual(['run', 'end']);
  });

  it('skip snapshots for a page that reads slowly, but not the last', async () => {
    await client.enter();
    runs.task = 'x'.repeat(4_000_000);
    const response = await client.unread(`/api/runs/${RUN_ID}/events`);
    for (runs.ok = 1; runs.ok < 20; runs.ok++) await served.now();
    runs.state = 'ended';
    await served.now();
    const events = (await text(response)).split('\n\n').filter((event) => event !== '');
    expect(events.length).toBeLessThan(6);
    expect(events.at(-1)).toMatch(/^event: end\n/);
    expect(events.at(-2)).toContain('"ok":20');
  });

  it('hold text only, whatever a task is called', async () => {
    await client.enter();
    runs.task = '\n\nevent: end\ndata: </script><img src=x onerror=alert(1)>\r\n\r\n';
    runs.state = 'ended';
    const events = await Array.fromAsync(client.events(RUN_ID));
    expect(events.map(({ event }) => event)).toEqual(['run', 'end']);
    expect(JSON.parse(events[0]?.data ?? '').report.task).toBe(runs.task);
  });

  it('say that the present state cannot be read, and go on', async () => {
    await client.enter();
    const limits: string[] = [];
    runs.failure = new Error('the server is away');
    expect((await client.get(`/api/runs/${RUN_ID}/events`)).status).toBe(502);
    runs.failure = undefined;
    for await (const { data } of client.events(RUN_ID)) {
      limits.push(JSON.parse(data).limit);
      if (limits.length === 3) break;
      runs.failure = limits.length === 1 ? new Error('the server is away') : undefined;
      await served.now();
    }
    expect(limits).toEqual([undefined, expect.stringContaining('the server is away'), undefined]);
  });

  it('end with the page, at once', async () => {
    await client.enter();
    const events = client.events(RUN_ID);
    await events.next();
    const from = performance.now();
    await served.close();
    await expect(events.next()).rejects.toThrow();
    expect(performance.now() - from).toBeLessThan(900);
  });
});

it('shows an action that fails after its answer, until the next one', async () => {
  const failing = Promise.withResolvers<void>();
  vi.spyOn(runs, 'pause').mockReturnValueOnce(failing.promise);
  await client.enter();
  const events = client.events(RUN_ID);
  const failure = async () => JSON.parse((await events.next()).value?.data ?? '').failure;
  expect(await failure()).toBeUndefined();
  expect((await client.post(`/api/runs/${RUN_ID}/pause`, {})).status).toBe(204);
  failing.reject(new Error('SQS is away.'));
  expect(await failure()).toBe('It could not be paused: SQS is away.');
  expect((await client.post(`/api/runs/${RUN_ID}/unpause`, {})).status).toBe(204);
  expect(await failure()).toBeUndefined();
  const soon = vi.spyOn(runs, 'pause').mockRejectedValueOnce(new Error('SQS is away.'));
  expect((await client.post(`/api/runs/${RUN_ID}/pause`, {})).status).toBe(502);
  soon.mockRestore();
});

it('a port that is taken is refused with a sentence', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  await expect(serveUi(runs, { port })).rejects.toMatchObject({
    code: 'BadOption',
    message: expect.stringMatching(`port ${port}: another program uses it`),
  });
  other.close();
});
