import { rm } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import type { Credentials } from '../emulator/auth/index.ts';
import { Lambda } from '../emulator/lambda/index.ts';
import { openStore, Sqs } from '../emulator/sqs/index.ts';
import {
  isLoopback,
  type Listening,
  listen,
  type Service,
  type ServiceRequest,
  type SignedService,
} from '../emulator/transport/index.ts';
import { failure } from '../emulator/transport/service.ts';
import { joinText, regionOfEnvironment } from '../endpoint/connection.ts';
import { joinFile, userFolder } from '../endpoint/folders.ts';
import { type Secret, secretIn, secretOfEnvironment } from '../endpoint/secret.ts';
import { writeSecret } from '../endpoint/secret-files.ts';
import { FanfoldError, messageOf } from '../errors.ts';
import { openTasks } from '../loading/tasks-module.ts';
import { Workers } from '../processes/workers.ts';
import { loadTasks } from '../worlds/processes.ts';
import { LOCAL_SLICE_SECONDS, openServices } from '../worlds/world.ts';
import { tlsOf } from './tls.ts';

export interface ServeOptions {
  /** The tasks module, as a URL or a path: runs of its tasks are taken. */
  tasks: URL | string;
  /**
   * The folder that the queues are kept in: whatever happens to the process, what was acknowledged
   * is there at the next start. One server may use it at a time.
   * @default '.fanfold'
   */
  data?: string | undefined;
  /** Whether queues are in memory alone, and end with the process. @default false */
  memory?: boolean | undefined;
  /** The address to listen on. @default '127.0.0.1', which this machine alone can reach */
  host?: string | undefined;
  /** @default 9324 */
  port?: number | undefined;
  /** The account id in queues' URLs and ARNs. @default '000000000000' */
  account?: string | undefined;
  /** @default the environment's AWS_REGION, else 'us-east-1' */
  region?: string | undefined;
  /** Worker processes here. @default 0: others come and work */
  workers?: number | undefined;
  /**
   * Who may use it: every request is signed with this key pair.
   * @default the environment's, else one that is made and kept in a file
   */
  credentials?: Credentials | undefined;
  /** Certificate and private key, as PEM. @default made where other machines can reach the host */
  tls?: { cert: string; key: string } | undefined;
  /** Whether to do without TLS where other machines can reach the host. @default false */
  insecureHttp?: boolean | undefined;
  /** Told of what went wrong and was mended. @default a process warning */
  onWarning?: ((message: string) => void) | undefined;
}

/** A server that runs. */
export interface Served {
  /** Such as `http://127.0.0.1:9324`. */
  readonly url: string;
  readonly region: string;
  /** Names of the tasks that it takes runs of. */
  readonly tasks: readonly string[];
  /** Whether this machine alone can reach it. */
  readonly loopback: boolean;
  /** What another machine's FANFOLD_JOIN is set to. It holds the secret, unless that was given. */
  readonly join: string;
  /** The file that holds the same, for its user's commands here; undefined where none could be made. */
  readonly joinFile: string | undefined;
  /** Where its queues are kept; undefined where they are in memory. */
  readonly data: string | undefined;
  /** Where the secret is, in the format of AWS's credentials files; undefined where it was given. */
  readonly credentialsFile: string | undefined;
  /** The certificate's SHA-256 in hex, where clients know the server by that alone. */
  readonly fingerprint: string | undefined;
  /** Rejects when it can't go on by itself. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const PORT = 9324;
const DATA = '.fanfold';

/** How long a chunk is hidden from others whose receiver does not say: workers do. */
const HIDDEN_SECONDS = 120;

/** How many workers are reckoned with when chunks are cut: they come and go. */
const WORKERS = 8;

/** How long workers here may take to finish or hand back what they have, in milliseconds. */
const GRACE_MS = 4_000;

/**
 * Puts SQS and Lambda on one port, with the deployment's queues and its seed function. Every
 * request is signed; where other machines can reach it, TLS is spoken.
 *
 * @throws FanfoldError `BadOption`, `BadTask`; `StoreInUse` and `DamagedStore` of its folder
 */
export async function serve(options: ServeOptions): Promise<Served> {
  const { host = '127.0.0.1', account: accountId = '000000000000' } = options;
  const { region = regionOfEnvironment(process.env), workers: count = 0 } = options;
  checkNumbers(options);
  await using opened = new AsyncDisposableStack();
  const data = options.memory ? undefined : resolve(options.data ?? DATA);
  const store =
    data === undefined
      ? undefined
      : openStore(data, { onWarning: (message) => warn(options, message) });
  opened.defer(() => store?.close());
  const sqs = new Sqs({ accountId, region, strictTiming: false, ...(store ? { store } : {}) });
  const lambda = new Lambda({ accountId, region });
  const { secret, tls } = await identityOf(options, host, data ?? userFolder());
  const module = openTasks(options.tasks);
  const tasks = await loadTasks(module);
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  let service = notYet;
  const current = chosen(() => service);
  const server = opened.use(await listen(current, { host, port: options.port ?? PORT, tls }));
  const urls = urlsOf(server, host);
  const services = await openServices({
    ...{ workers: WORKERS, tasks, sqs, lambda, endpoint: urls.ours, hiddenSeconds: HIDDEN_SECONDS },
  });
  opened.defer(() => services.close());
  const { taskQueueUrl, deadQueueUrl, deployment } = services;
  const known = { region, fingerprint: tls?.fingerprint };
  service = routed(sqs, lambda, secret.credentials);
  const workers = new Workers({
    tasks: module,
    place: { ...known, endpoint: urls.here, credentials: secret.credentials },
    ...{ taskQueueUrl, deadQueueUrl, count, graceMs: GRACE_MS, prefix: 'server' },
    sliceSeconds: LOCAL_SLICE_SECONDS,
    sqs: deployment.sqs,
    onFailure: failed.reject,
    onTrouble: ({ message }) => warn(options, message),
  });
  opened.defer(() => workers.close());
  // A secret that was given is not written down.
  const credentials = secret.file === undefined ? undefined : secret.credentials;
  const join = joinText({ ...known, endpoint: urls.ours, credentials });
  const left = await leaveWord(server.port, join, options);
  opened.defer(async () => {
    if (left !== undefined) await rm(left, { force: true });
  });
  const open = opened.move();
  return {
    ...{ url: urls.ours, region, tasks: tasks.names(), loopback: isLoopback(host), join, data },
    joinFile: left,
    credentialsFile: secret.file,
    fingerprint: tls?.fingerprint,
    failed: failed.promise,
    close: () => open.disposeAsync(),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

function checkNumbers({ port = PORT, workers = 0 }: ServeOptions): void {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new FanfoldError('BadOption', `\`port\` is a number from 0 to 65535; ${port} is not.`);
  }
  if (!Number.isInteger(workers) || workers < 0 || workers > 1000) {
    throw new FanfoldError(
      'BadOption',
      `\`workers\` is a whole number from 0 to 1000; ${workers} is not.`,
    );
  }
}

/** What a server shows of itself, and what it asks of others. */
async function identityOf(options: ServeOptions, host: string, folder: string) {
  const given = options.credentials ?? secretOfEnvironment(process.env);
  const secret: Secret = given ? { credentials: given, file: undefined } : await secretIn(folder);
  const needed = !isLoopback(host) && !options.insecureHttp;
  return { secret, tls: await tlsOf(options.tls, needed, folder) };
}

/** Lambda's paths are Lambda's alone; all else is for SQS. */
function routed(sqs: Sqs, lambda: Lambda, credentials: Credentials): SignedService {
  const forSqs = sqs.signedService([credentials]);
  const forLambda = lambda.signedService([credentials]);
  return chosen(({ path }) => (path.startsWith('/2015-03-31/functions/') ? forLambda : forSqs));
}

/** A service that is another for each request. */
function chosen(choose: (request: ServiceRequest) => SignedService): SignedService {
  const service: Service = (request) => choose(request)(request);
  const admit: SignedService['admit'] = (head) => choose(head).admit(head);
  return Object.assign(service, { admit });
}

/** SDK clients try again when they are told so. */
const isStarting = () => failure(503, 'ServiceUnavailable', 'The server is starting.');
const notYet: SignedService = Object.assign(isStarting, { admit: isStarting });

/** The server's address for other machines, and for this one. */
function urlsOf({ url, port }: Listening, host: string): { ours: string; here: string } {
  if (host !== '0.0.0.0' && host !== '::') return { ours: url, here: url };
  const scheme = url.slice(0, url.indexOf(':'));
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outer = addresses.find(({ internal, family }) => !internal && family === 'IPv4');
  return {
    ours: `${scheme}://${outer?.address ?? hostname()}:${port}`,
    here: `${scheme}://127.0.0.1:${port}`,
  };
}

/** Leaves word of how this user's commands on this machine reach it; gives the file. */
async function leaveWord(
  port: number,
  join: string,
  options: ServeOptions,
): Promise<string | undefined> {
  try {
    const file = joinFile(port);
    await writeSecret(file, `${join}\n`);
    return file;
  } catch (error) {
    warn(options, `commands on this machine need FANFOLD_JOIN too, as ${messageOf(error)}`);
    return undefined;
  }
}

function warn({ onWarning }: ServeOptions, message: string): void {
  if (onWarning) onWarning(message);
  else process.emitWarning(message, 'FanfoldWarning');
}
