import { rm } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import type { Credentials } from '../emulator/auth/index.ts';
import { Lambda } from '../emulator/lambda/index.ts';
import { openStore, Sqs } from '../emulator/sqs/index.ts';
import {
  isLoopback,
  type Listening,
  type ListenOptions,
  listen,
  type Service,
  type ServiceRequest,
  type SignedService,
} from '../emulator/transport/index.ts';
import { failure } from '../emulator/transport/service.ts';
import { joinText, regionOfEnvironment } from '../endpoint/connection.ts';
import { joinFile, userFolder } from '../endpoint/folders.ts';
import { isAttemptOf } from '../endpoint/receive-attempts.ts';
import { type Secret, secretIn, secretOfEnvironment } from '../endpoint/secret.ts';
import { writeSecret } from '../endpoint/secret-files.ts';
import { checkWhole, messageOf } from '../errors.ts';
import { openTasks } from '../loading/tasks-module.ts';
import {
  type CallOptions,
  CHECKED,
  checkOptions,
  FLAG,
  FUNCTION,
  type Kind,
  MODULE,
  OBJECT,
  TEXT,
} from '../options.ts';
import { namesOf } from '../pipeline/names.ts';
import type { LogLine } from '../pipeline/working/log-line.ts';
import { Workers } from '../processes/workers.ts';
import { isForObjects, maxBodyBytes } from '../worlds/local-objects.ts';
import { loadTasks } from '../worlds/processes.ts';
import { LOCAL_SLICE_SECONDS, NAME, openServices } from '../worlds/world.ts';
import { Activity } from './activity.ts';
import { pageOf } from './page.ts';
import { tlsOf } from './tls.ts';

/** Options of `serve`. */
export interface ServeOptions {
  /** The tasks module, as a URL or a path. The server accepts runs of its tasks. */
  tasks: URL | string;
  /**
   * The folder that stores the queues. Whatever happens to the process, acknowledged changes are
   * there at the next start. Only one server can use it at a time.
   * @default '.fanfold'
   */
  data?: string | undefined;
  /** Whether queues are kept in memory only, and are lost with the process. @default false */
  memory?: boolean | undefined;
  /** The address to listen on. @default '127.0.0.1', which only this machine can reach */
  host?: string | undefined;
  /** The port to listen on; 0 takes any free port. @default 9324 */
  port?: number | undefined;
  /** The account id in queue URLs and ARNs. @default '000000000000' */
  account?: string | undefined;
  /** The region in ARNs and signatures. @default the environment's AWS_REGION, else 'us-east-1' */
  region?: string | undefined;
  /** Number of worker processes in this server, 0 to 1000. @default 0: workers run elsewhere */
  workers?: number | undefined;
  /**
   * Key pair that every request must be signed with.
   * @default the environment's, else one that is generated and kept in a file
   */
  credentials?: Credentials | undefined;
  /** Certificate and private key, as PEM. @default made if other machines can reach the host */
  tls?: { cert: string; key: string } | undefined;
  /** Whether to use plain HTTP although other machines can reach the host. @default false */
  insecureHttp?: boolean | undefined;
  /** Called for trouble that the server has recovered from. @default a process warning */
  onWarning?: ((message: string) => void) | undefined;
  /**
   * Called with a line when a run begins or ends, or a machine's workers join or leave: with at
   * most eleven lines a second.
   * @default none
   */
  onEvent?: ((line: string) => void) | undefined;
  /**
   * Called with each line that tasks log or print in the server's own workers.
   * @default log lines go to standard error as JSON, other output unchanged
   */
  onLog?: ((line: LogLine) => void) | undefined;
}

/** A running server. */
export interface Served {
  /** The server's address, such as `http://127.0.0.1:9324`. */
  readonly url: string;
  /** The region that clients use. */
  readonly region: string;
  /** Names of the tasks whose runs it accepts. */
  readonly tasks: readonly string[];
  /** Whether only this machine can reach it. */
  readonly loopback: boolean;
  /** Value for FANFOLD_JOIN on another machine. It holds the secret, unless that was provided. */
  readonly join: string;
  /** File with the same value, for the user's commands here; undefined if it can't be created. */
  readonly joinFile: string | undefined;
  /** The folder that stores its queues; undefined if they are in memory. */
  readonly data: string | undefined;
  /** The secret's file, in the format of AWS credentials files; undefined if it was provided. */
  readonly credentialsFile: string | undefined;
  /** SHA-256 of the certificate in hex, if clients verify the server by that alone. */
  readonly fingerprint: string | undefined;
  /** Rejects when the server's own workers can't continue. */
  readonly failed: Promise<never>;
  /** Stops the server and its workers. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const KINDS: Record<keyof ServeOptions, Kind> = {
  tasks: MODULE,
  data: TEXT,
  memory: FLAG,
  host: TEXT,
  port: CHECKED,
  account: TEXT,
  region: TEXT,
  workers: CHECKED,
  credentials: OBJECT,
  tls: OBJECT,
  insecureHttp: FLAG,
  onWarning: FUNCTION,
  onEvent: FUNCTION,
  onLog: FUNCTION,
};

const OPTIONS: CallOptions = { call: 'serve()', kinds: KINDS, required: ['tasks'] };

const PORT = 9324;
const DATA = '.fanfold';

/** The task queue's visibility timeout, for receivers that set none. Workers set theirs. */
const HIDDEN_SECONDS = 120;

/** Number of workers that chunks are cut for: the actual number varies. */
const WORKERS = 8;

/** Time that the server's workers have to finish or send back their chunks, in milliseconds. */
const GRACE_MS = 4_000;

export async function serve(options: ServeOptions): Promise<Served> {
  checkOptions(OPTIONS, options);
  const { host = '127.0.0.1', port = PORT, account: accountId = '000000000000' } = options;
  const { region = regionOfEnvironment(process.env), workers: count = 0 } = options;
  checkWhole('port', port, 0, 65_535);
  checkWhole('workers', count, 0, 1000);
  await using opened = new AsyncDisposableStack();
  const data = options.memory ? undefined : resolve(options.data ?? DATA);
  const store =
    data === undefined
      ? undefined
      : openStore(data, { onWarning: (message) => warn(options, message) });
  opened.defer(() => store?.close());
  const activity = new Activity(namesOf(NAME), options.onEvent ?? (() => {}), (machine) =>
    // What its workers held would stay hidden for two minutes.
    sqs.showReceivedBy((attempt) => isAttemptOf(machine, attempt)),
  );
  opened.defer(() => activity.close());
  const { onQueue } = activity;
  const sqs = new Sqs({ accountId, region, strictTiming: false, store, onQueue });
  const lambda = new Lambda({ accountId, region });
  const { secret, tls } = await identityOf(options, host, data ?? userFolder());
  const module = openTasks(options.tasks);
  const tasks = await loadTasks(module, options.onLog);
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  let service = notYet;
  const current = chosen(() => service);
  let page: ReturnType<typeof pageOf> | undefined;
  const pages: ListenOptions['pages'] = (...one) => page?.(...one) ?? false;
  const server = opened.use(await listen(current, { host, port, tls, maxBodyBytes, pages }));
  const urls = urlsOf(server, host);
  const services = await openServices({
    workers: WORKERS,
    tasks,
    listsEnded: true,
    sqs,
    lambda,
    endpoint: urls.ours,
    objectsFolder: data && resolve(data, 'objects'),
    hiddenSeconds: HIDDEN_SECONDS,
    onSeedFailed: (line) => warn(options, line),
    liveWorkers: () => count + activity.workers,
  });
  opened.defer(() => services.close());
  const { taskQueueUrl, deadQueueUrl, deployment, objects } = services;
  const forObjects = await objects.signedService([secret.credentials]);
  const known = { region, fingerprint: tls?.fingerprint };
  service = activity.watching(routed(sqs, lambda, forObjects, secret.credentials));
  const workers = new Workers({
    tasks: module,
    place: { ...known, endpoint: urls.here, credentials: secret.credentials },
    taskQueueUrl,
    deadQueueUrl,
    count,
    graceMs: GRACE_MS,
    prefix: 'server',
    sliceSeconds: LOCAL_SLICE_SECONDS,
    sqs: deployment.sqs,
    onFailure: failed.reject,
    onLog: options.onLog,
    // A call that may succeed later failed in this server, which reports the cause itself, once.
    onTrouble: ({ message, passing }) => {
      if (!passing) warn(options, message);
    },
  });
  opened.defer(() => workers.close());
  // A secret that the user provided is not stored.
  const credentials = secret.file === undefined ? undefined : secret.credentials;
  const join = joinText({ ...known, endpoint: urls.ours, credentials });
  const left = await writeJoin(server.port, join, options);
  const about = { host, port: server.port, isSecure: tls !== undefined };
  page = pageOf({ deployment, secret: secret.credentials.secretAccessKey, ...about });
  opened.defer(async () => {
    if (left !== undefined) await rm(left, { force: true });
  });
  const open = opened.move();
  return {
    url: urls.ours,
    region,
    tasks: tasks.names(),
    loopback: isLoopback(host),
    join,
    data,
    joinFile: left,
    credentialsFile: secret.file,
    fingerprint: tls?.fingerprint,
    failed: failed.promise,
    close: () => open.disposeAsync(),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** The server's key pair, which requests must be signed with, and its certificate. */
async function identityOf(options: ServeOptions, host: string, folder: string) {
  const given = options.credentials ?? secretOfEnvironment(process.env);
  const secret: Secret = given ? { credentials: given, file: undefined } : await secretIn(folder);
  const needed = !isLoopback(host) && !options.insecureHttp;
  return { secret, tls: await tlsOf(options.tls, needed, folder) };
}

/** Routes Lambda's paths to Lambda, those of the bucket to S3, and everything else to SQS. */
function routed(
  sqs: Sqs,
  lambda: Lambda,
  forObjects: SignedService,
  credentials: Credentials,
): SignedService {
  const forSqs = sqs.signedService([credentials]);
  const forLambda = lambda.signedService([credentials]);
  return chosen((request) => {
    if (isForObjects(request)) return forObjects;
    return request.path.startsWith('/2015-03-31/functions/') ? forLambda : forSqs;
  });
}

/** A service that delegates each request to the service that `choose` returns. */
function chosen(choose: (request: ServiceRequest) => SignedService): SignedService {
  const service: Service = (request) => choose(request)(request);
  const admit: SignedService['admit'] = (head) => choose(head).admit(head);
  return Object.assign(service, { admit });
}

/** Answers requests during the start; SDK clients retry on this status. */
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

/** Writes the join to a file for this user's commands on this machine; returns its path. */
async function writeJoin(
  port: number,
  join: string,
  options: ServeOptions,
): Promise<string | undefined> {
  try {
    const file = joinFile(port);
    await writeSecret(file, `${join}\n`);
    return file;
  } catch (error) {
    warn(options, `commands on this machine also need FANFOLD_JOIN, because ${messageOf(error)}`);
    return undefined;
  }
}

function warn({ onWarning }: ServeOptions, message: string): void {
  if (onWarning) onWarning(message);
  else process.emitWarning(message, 'FanfoldWarning');
}
