import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { results, TASKS } from './command.ts';
import { aUser, begin, fanfold, fanfoldWith, printed, serve, work } from './serving.ts';
import { atTerminal } from './terminal.ts';

const { folder } = aUser();
const config = join(folder, 'config/fanfold');
/** Environment of a user on another machine. */
const elsewhere = { XDG_CONFIG_HOME: join(folder, 'elsewhere') };

describe('three terminals', () => {
  it('serve, work and run: each input once', async () => {
    const server = await serve(['--tasks', TASKS]);
    const worker = await work(['--endpoint', server.url, '--tasks', TASKS, '--workers', '2']);
    const args = ['run', 'same', '--endpoint', server.url, '--range', '500', '--ordered'];
    const { status, stdout, stderr } = await fanfold(args);
    expect(stderr).toContain('500 inputs = 500 ok');
    expect(status).toBe(0);
    expect(results(stdout).map(({ index, output }) => [index, output])).toEqual(
      Array.from({ length: 500 }, (_, index) => [index, index]),
    );
    const names = new Set(results(stdout).map(({ worker }) => worker));
    for (const name of names) expect(name).toMatch(/^[\w-]+-\d+-[12]$/);
    worker.child.kill('SIGTERM');
    server.child.kill('SIGINT');
    expect(await worker.ended).toMatchObject({ status: 0, stdout: '' });
    expect(worker.said()).toContain('500 inputs done here');
    expect(await server.ended).toMatchObject({ status: 0, stdout: '' });
    // Its join file is removed at its end; its key pair stays for the next start.
    expect(readdirSync(config)).toEqual(['credentials']);
  });

  it('print what the README shows, word for word', async () => {
    const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
    const block = /In three terminals[^`]+```sh\n([^`]+)```/.exec(readme)?.[1] ?? '';
    const [first = [], second = [], third = []] = block
      .trim()
      .split('\n')
      .map((line) => line.replace('npx fanfold ', '').split(' '));
    expect([first, second, third].map(([command]) => command)).toEqual(['serve', 'work', 'run']);
    const cwd = join(folder, 'three-terminals');
    mkdirSync(cwd);
    await printed(begin(first, {}, [], cwd), /(npx fanfold work --endpoint)/);
    await printed(begin(second, {}, [], cwd), /(workers? at)/);
    const { status, stdout } = await begin(third, {}, [], cwd).ended;
    expect(status).toBe(0);
    expect(results(stdout)).toHaveLength(10);
    expect(existsSync(join(cwd, '.fanfold/credentials'))).toBe(true);
  });

  it('report slow tasks one by one', async () => {
    const server = await serve(['--workers', '1']);
    const worker = await work(['--endpoint', server.url, '--workers', '1']);
    await fanfold(['run', 'sleep', '--endpoint', server.url, '--range', '5']);
    await printed(worker, /(sleep \d ok in \d\.\d s)/);
  });
});

describe('the secret', () => {
  it('is in files that only their owner can read, and is reused', async () => {
    const first = await serve();
    const files = ['credentials', `join-${first.port}`].map((name) => join(config, name));
    for (const file of files) expect(statSync(file).mode & 0o777).toBe(0o600);
    const secret = readFileSync(files[0] ?? '', 'utf8');
    first.child.kill('SIGTERM');
    await first.ended;
    await serve(['--port', first.port]);
    expect(readFileSync(files[0] ?? '', 'utf8')).toBe(secret);
  });

  it('is refused in a file that others can read', async () => {
    const server = await serve();
    const file = join(config, 'credentials');
    execFileSync('chmod', ['644', file]);
    const { status, stderr } = await fanfold(['serve', '--memory', '--port', '0']);
    expect(stderr).toContain(`${file} holds a secret, and users other than its owner can read it`);
    expect(status).toBe(2);
    execFileSync('chmod', ['600', file]);
    server.child.kill();
  });

  it('is in no process’s arguments, and is not printed by a server on loopback', async () => {
    const server = await serve(['--workers', '1']);
    await work(['--endpoint', server.url, '--workers', '1']);
    const secret = /secret_access_key = (\S+)/.exec(
      readFileSync(join(config, 'credentials'), 'utf8'),
    )?.[1];
    expect(secret).toMatch(/^[\w-]{40}$/);
    const lines = execFileSync('ps', ['axww', '-o', 'args'], { encoding: 'utf8' });
    expect(lines).toContain('fanfold.js work');
    expect(lines).not.toContain(secret);
    expect(server.said()).not.toContain(secret);
    const asked = ['run', 'echo', '--range', '1', '--endpoint', `http://a:${secret}@127.0.0.1:1`];
    const { status, stderr } = await fanfold(asked);
    expect(status).toBe(2);
    expect(stderr).toContain('put it into FANFOLD_JOIN instead');
    expect(stderr).not.toContain(secret);
  });

  it('may be set in the environment, and is then neither stored nor printed', async () => {
    const given = { AWS_ACCESS_KEY_ID: 'GIVEN', AWS_SECRET_ACCESS_KEY: 'given-secret' };
    const server = await serve(['--workers', '1'], given);
    const left = readFileSync(join(config, `join-${server.port}`), 'utf8');
    expect(left + server.said()).not.toContain('given-secret');
    const args = ['run', 'echo', '--range', '3', '--endpoint', server.url];
    expect((await fanfoldWith(given, args)).status).toBe(0);
    const wrong = await fanfoldWith({ ...given, AWS_SECRET_ACCESS_KEY: 'other' }, args);
    expect(wrong.stderr).toContain('rejects the secret (SignatureDoesNotMatch)');
    expect(wrong.status).toBe(3);
    const none = await fanfold(args);
    expect(none.stderr).toContain('No secret is known for the server at');
    expect(none.status).toBe(3);
    const half = await fanfoldWith({ AWS_ACCESS_KEY_ID: 'GIVEN' }, [
      'serve',
      '--memory',
      '--port',
      '0',
    ]);
    expect(half.stderr).toContain('AWS_ACCESS_KEY_ID but no AWS_SECRET_ACCESS_KEY');
    expect(half.status).toBe(2);
  });
});

describe('on all networks', () => {
  it('TLS is used, and other machines need only the join line', async () => {
    const server = await serve(['--host', '0.0.0.0']);
    expect(server.url).toMatch(/^https:/);
    // Output to a log names the file of the join line, without its secret.
    const copied = /FANFOLD_JOIN="\$\(ssh \S+ cat (\S+)\)" npx fanfold work/.exec(
      server.said(),
    )?.[1];
    expect(readFileSync(copied ?? '', 'utf8').trim()).toBe(server.join);
    expect(server.said()).not.toContain(new URL(server.join).password);
    const joined = { ...elsewhere, FANFOLD_JOIN: server.join };
    await work(['--workers', '1'], joined);
    const args = ['run', 'echo', '--range', '20', '--endpoint'];
    expect((await fanfoldWith(joined, [...args, server.url])).status).toBe(0);
    // By default, the join line decides where a command runs, unless its flags ask for this machine.
    const there = await fanfoldWith(joined, ['run', 'echo', '--range', '3']);
    expect(there).toMatchObject({ status: 0, stderr: expect.stringContaining(server.url) });
    const here = await fanfoldWith(joined, ['run', 'echo', '--range', '3', '--workers', '1']);
    expect(here).toMatchObject({ status: 0, stderr: expect.not.stringContaining(server.url) });
    const runs = await fanfoldWith(joined, ['runs']);
    expect(runs.stderr).toContain(`no runs on endpoint ${server.url}`);
    for (const FANFOLD_JOIN of ['nonsense', 'https://:@/']) {
      const wrong = await fanfoldWith({ ...elsewhere, FANFOLD_JOIN }, ['runs']);
      expect(wrong.stderr).toContain('the whole line that `fanfold serve` prints');
      expect(wrong.status).toBe(2);
    }
    // The user of this machine needs no join line.
    expect((await fanfold([...args, `https://127.0.0.1:${server.port}`])).status).toBe(0);
    const pin = server.join.slice(-2) === '00' ? '11' : '00';
    const cases: [join: string | undefined, endpoint: string, status: number, said: string][] = [
      [server.join.slice(0, -2) + pin, server.url, 3, 'is not the expected one'],
      [server.join.replace(/:[^:@]+@/, ':wrong@'), server.url, 3, 'rejects the secret'],
      [server.join.replace(/FANFOLD\w+/, 'SOMEBODY'), server.url, 3, 'rejects the secret'],
      [
        server.join.slice(0, -2),
        server.url,
        2,
        'must be the whole line that `fanfold serve` prints',
      ],
      [server.join, 'https://127.0.0.2:9', 2, 'FANFOLD_JOIN names the server https://'],
      [undefined, server.url, 3, 'No secret is known'],
      [undefined, server.url.replace('https', 'http'), 2, 'uses TLS: use https://'],
    ];
    for (const [FANFOLD_JOIN, endpoint, status, said] of cases) {
      const ended = await fanfoldWith({ ...elsewhere, FANFOLD_JOIN }, [...args, endpoint]);
      expect(ended.stderr).toContain(said);
      expect(ended.stderr.trim().split('\n')).toHaveLength(1);
      expect(ended.status).toBe(status);
      expect(ended.stdout).toBe('');
    }
  });

  it.runIf(process.platform === 'linux')('the join line is printed at a terminal', async () => {
    const serving = atTerminal('fanfold serve --memory --port 0 --host 0.0.0.0', 300);
    await expect.poll(serving.written, { timeout: 60_000 }).toContain('npx fanfold work');
    const shown = /FANFOLD_JOIN='([^']+)'/.exec(serving.written())?.[1] ?? '';
    expect(new URL(shown).password).not.toBe('');
    serving.type('\u0003');
    await serving.ended;
  });

  it('a given certificate is verified like any other', async () => {
    const [cert, key] = ['cert.pem', 'key.pem'].map((name) => join(folder, name));
    const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
    const subject = ['-subj', '/CN=server', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const made = ['-newkey', 'rsa:2048', '-nodes', '-keyout', key ?? '', '-out', cert ?? ''];
    openssl('req', '-x509', ...made, ...subject, '-days', '2');
    const server = await serve([
      '--tls-cert',
      cert ?? '',
      '--tls-key',
      key ?? '',
      '--workers',
      '1',
    ]);
    expect(server.url).toMatch(/^https:\/\/127/);
    // A self-signed certificate is verified by its fingerprint.
    expect((await fanfold(['run', 'echo', '--range', '3', '--endpoint', server.url])).status).toBe(
      0,
    );
    const wrong = await fanfold([
      'serve',
      '--memory',
      '--port',
      '0',
      '--tls-cert',
      cert ?? '',
      '--tls-key',
      TASKS,
    ]);
    expect(wrong.stderr).toContain('The private key cannot be read: expected PEM');
    expect(wrong.status).toBe(2);
  });

  it('--insecure-http turns TLS off, and prints a warning', async () => {
    const server = await serve(['--host', '0.0.0.0', '--insecure-http', '--workers', '1']);
    expect(server.url).toMatch(/^http:/);
    expect(server.said()).toContain('can read all traffic, and replay requests');
    const joined = { ...elsewhere, FANFOLD_JOIN: server.join };
    const args = ['run', 'echo', '--range', '3', '--endpoint'];
    expect((await fanfoldWith(joined, [...args, server.url])).status).toBe(0);
    const tls = await fanfoldWith(elsewhere, [...args, server.url.replace('http', 'https')]);
    expect(tls.stderr).toContain('does not use TLS: use http://');
    expect(tls.status).toBe(2);
  });
});

describe('mistakes', () => {
  it.each([
    [['serve', '--memory', '--port', '99999'], '--port must be a whole number from 0 to 65535'],
    [['serve', '--memory', '--workers', 'two'], '--workers must be a whole number from 0 to 1000'],
    [
      ['serve', '--memory', '--host', 'no.such.host.invalid', '--insecure-http'],
      'no.such.host.invalid',
    ],
    [
      ['serve', '--memory', '--host', '192.0.2.77', '--insecure-http'],
      'this machine does not have this address',
    ],
    [['serve', '--memory', '--account', '12'], 'must be a string of 12 digits'],
    [['serve', '--memory', '--tasks', 'nowhere.ts'], 'does not exist'],
    [['serve', '--memory', '--tasks', 'package.json'], 'cannot be used'],
    [['serve', '--memory', '--tls-cert', 'x.pem'], 'must be given together'],
    [
      ['serve', '--memory', '--tls-cert', 'nowhere.pem', '--tls-key', 'nowhere.pem'],
      '--tls-cert nowhere.pem cannot be read: there is no such file',
    ],
    [['serve', '--data', 'package.json'], 'package.json cannot be used: it is a file'],
    [['work'], '--endpoint URL, or the FANFOLD_JOIN=...'],
    [['work', '--endpoint', 'here'], 'An endpoint must be a URL like'],
    [
      ['work', '--endpoint', 'http://127.0.0.1:1', '--workers', '0'],
      '--workers must be a whole number',
    ],
  ])('%j gets a sentence', async (args, said) => {
    const { status, stderr } = await fanfold(args);
    expect(stderr).toContain(said);
    expect(status).toBe(2);
  });

  it('a port in use is reported', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const { status, stderr } = await fanfold(['serve', '--memory', '--port', String(port)]);
    expect(stderr).toContain('another program uses it');
    expect(status).toBe(2);
    other.close();
  });

  it.each(['run echo --range 3', 'cancel 20261123T165514123-k3f9x2ab', 'work'])(
    'fanfold %s reports that no server responds',
    async (line) => {
      const { status, stderr } = await fanfold([
        ...line.split(' '),
        '--endpoint',
        'http://127.0.0.1:1',
      ]);
      expect(stderr).toMatch(
        /^fanfold: No server responds at http:\/\/127.0.0.1:1 \(ECONNREFUSED\)/,
      );
      expect(status).toBe(3);
    },
  );

  it('a worker without the task reports its name and the known tasks', async () => {
    const server = await serve(['--tasks', TASKS]);
    const worker = await work(['--endpoint', server.url, '--workers', '1']);
    begin(['run', 'same', '--endpoint', server.url, '--range', '1']);
    const said = await printed(worker, /(There is no task named .*)/);
    expect(said).toBe('There is no task named "same". Known tasks: echo, sha256, sleep.');
  });
});
