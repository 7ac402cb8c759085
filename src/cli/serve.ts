import type { Command } from 'commander';
import { FanfoldError, type LogLine, type Served, serve } from '../index.ts';
import { shellWord } from '../inputs/printable.ts';
import { STATUS } from './exit.ts';
import { boundHeap } from './heap.ts';
import { say } from './log.ts';
import { addLogLevel, type LogLevel, prints } from './log-level.ts';
import { readNamed } from './named-file.ts';
import { untilSignal } from './signals.ts';
import { printTaskLine } from './task-log.ts';
import { findTasksModule } from './tasks-module.ts';

interface ServeFlags {
  data?: string;
  memory?: boolean;
  host?: string;
  port?: string;
  account?: string;
  region?: string;
  tasks?: string;
  workers?: string;
  tlsCert?: string;
  tlsKey?: string;
  insecureHttp?: boolean;
  logLevel: LogLevel;
}

/** Time limit for the shutdown, in which the server's workers send back their chunks. */
const END_MS = 6_000;

/** `fanfold serve`: serves the queues and the seed function on a port. */
export function addServe(program: Command): void {
  addLogLevel(
    program.command('serve'),
    'those of tasks, from this level; info adds runs and workers that come and go to warn and error',
    'info',
  )
    .description('serve SQS and Lambda on a port, for runs and workers on this and other machines')
    .option(
      '--host <address>',
      'the address to listen on; 0.0.0.0 for all networks (default: 127.0.0.1)',
    )
    .option('--port <n>', 'the port (default: 9324)')
    .option('--data <folder>', 'the folder that stores the queues (default: .fanfold)')
    .option('--memory', 'keep queues in memory only: they are lost when this process ends')
    .option('--account <id>', 'the account id in queue URLs (default: 000000000000)')
    .option('--region <name>', 'the region (default: AWS_REGION, or else us-east-1)')
    .option('--tasks <module>', 'the tasks module')
    .option(
      '--workers <n>',
      'worker processes in this server (default: 0; `fanfold work` adds more)',
    )
    .option(
      '--tls-cert <file>',
      'the certificate, as PEM (default: a self-signed one is created if needed)',
    )
    .option('--tls-key <file>', 'the private key of the certificate, as PEM')
    .option(
      '--insecure-http',
      'no TLS: anyone on the network can read inputs and results, and replay requests',
    )
    .action((flags: ServeFlags) => untilSignal((signal) => run(flags, signal), END_MS));
}

async function run(flags: ServeFlags, signal: AbortSignal): Promise<number> {
  boundHeap();
  const module = findTasksModule(flags.tasks);
  const sayAt = (level: LogLevel) => (prints(flags.logLevel, level) ? say : () => {});
  const onLog = (line: LogLine) => printTaskLine(line, flags.logLevel);
  const listeners = { onWarning: sayAt('warn'), onEvent: sayAt('info'), onLog };
  await using served = await serve({ ...optionsOf(flags), tasks: module.path, ...listeners });
  if (prints(flags.logLevel, 'info')) printInstructions(served, flags, module.shipped);
  await Promise.race([served.failed, untilAborted(signal)]);
  sayAt('info')('stopping');
  return STATUS.ok;
}

/** Resolves on abort: a signal is the normal end of a server, not a failure. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function optionsOf(flags: ServeFlags) {
  const { host, account, region, insecureHttp, data, memory } = flags;
  if (data !== undefined && memory) {
    throw new FanfoldError(
      'BadOption',
      '--data stores queues on disk, --memory does not: leave one out.',
    );
  }
  return {
    data,
    memory,
    host,
    port: wholeNumber('--port', flags.port, 65_535),
    account,
    region,
    workers: wholeNumber('--workers', flags.workers, 1000),
    tls: tlsOf(flags),
    insecureHttp,
  };
}

export function wholeNumber(
  option: string,
  given: string | undefined,
  most: number,
  least = 0,
): number | undefined {
  if (given === undefined) return undefined;
  const number = /^\d{1,6}$/.test(given) ? Number(given) : -1;
  if (number >= least && number <= most) return number;
  throw new FanfoldError(
    'BadOption',
    `${option} must be a whole number from ${least} to ${most}; got "${given}".`,
  );
}

function tlsOf({ tlsCert, tlsKey, insecureHttp }: ServeFlags) {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new FanfoldError('BadOption', '--tls-cert and --tls-key must be given together.');
  }
  if (insecureHttp) {
    throw new FanfoldError(
      'BadOption',
      '--insecure-http turns TLS off: leave it out, or leave out --tls-cert and --tls-key.',
    );
  }
  return { cert: readNamed('--tls-cert', tlsCert), key: readNamed('--tls-key', tlsKey) };
}

/** Prints the server's address and the command that starts workers for it. */
function printInstructions(served: Served, { insecureHttp }: ServeFlags, shipped: boolean): void {
  const { url, data, tasks, loopback, credentialsFile } = served;
  say(`serving ${url}, tasks: ${tasks.join(', ')}${shipped ? ' (these ship with fanfold)' : ''}`);
  say(
    data === undefined
      ? 'queues are in memory: they are lost when this process ends'
      : `queues are stored in ${data}`,
  );
  say(
    credentialsFile === undefined
      ? 'its secret is the given AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'
      : `its secret is in ${credentialsFile}`,
  );
  say(`live page, which asks for the secret: ${url}/ui`);
  if (loopback) {
    say(`to add workers on this machine: npx fanfold work --endpoint ${url}`);
    say('other machines cannot reach it; to allow that: --host 0.0.0.0');
    return;
  }
  if (insecureHttp) {
    say('--insecure-http: anyone on the network can read all traffic, and replay requests');
  }
  say(`on another machine${joinOf(served)} npx fanfold work`);
}

/**
 * Explains how other machines get the join line, which holds the secret. The line itself is printed
 * only to a terminal: service managers keep a server's output in logs that others may read.
 */
function joinOf({ url, join, joinFile, credentialsFile }: Served): string {
  if (credentialsFile === undefined) {
    return `, with the same two variables set: FANFOLD_JOIN=${shellWord(join)}`;
  }
  if (process.stderr.isTTY) return `: FANFOLD_JOIN=${shellWord(join)}`;
  if (joinFile === undefined) {
    return ', with FANFOLD_JOIN, which holds the secret and is printed only to a terminal:';
  }
  const copied = `ssh ${new URL(url).hostname} cat ${shellWord(joinFile)}`;
  return `, with the secret, which is printed only to a terminal: FANFOLD_JOIN="$(${copied})"`;
}
