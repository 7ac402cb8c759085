import { nearest } from './nearest.ts';

/** The call that has an option, for options that were given to another call. */
const HOMES: Readonly<Record<string, string>> = {
  ...homes('defineTask()', [
    ...['name', 'input', 'run', 'setup', 'teardown', 'maxAttempts', 'timeoutSeconds'],
    ...['concurrency', 'runConcurrency', 'backoffBaseSeconds', 'backoffCapSeconds'],
    ...['retry', 'adaptive', 'idempotent'],
  ]),
  ...homes('connect()', [
    'workers',
    'stack',
    'endpoint',
    'tasks',
    'onWarning',
    'onLog',
    'prices',
    'asIf',
  ]),
  ...homes('map()', [
    'ordered',
    'signal',
    'deadlineSeconds',
    'maxFailures',
    'output',
    'rate',
    'hedge',
    'pauseWhenFailing',
    'priority',
    'maxCost',
    'pauseAtCost',
  ]),
  ...homes('serve()', [
    ...['data', 'memory', 'host', 'port', 'account', 'region', 'credentials'],
    ...['tls', 'insecureHttp', 'onEvent'],
  ]),
  ...homes('work()', ['untilEmpty', 'slowMs', 'onSlow']),
};

/**
 * Fanfold's options by the names that p-map, BullMQ, Celery, the AWS SDK and others give them: in
 * lower case, without hyphens and underscores.
 */
const KNOWN_AS: Readonly<Record<string, readonly string[]>> = {
  abortsignal: ['signal'],
  attempts: ['maxAttempts'],
  backoff: ['backoffBaseSeconds', 'backoffCapSeconds'],
  broker: ['endpoint'],
  burst: ['untilEmpty'],
  cert: ['tls'],
  concurrency: ['workers', 'concurrency'],
  connection: ['endpoint'],
  countdown: ['backoffBaseSeconds'],
  datadir: ['data'],
  deadline: ['deadlineSeconds'],
  drain: ['untilEmpty'],
  fn: ['run'],
  folder: ['data'],
  handler: ['run'],
  hostname: ['host'],
  https: ['tls'],
  key: ['tls'],
  limit: ['workers', 'concurrency'],
  limiter: ['rate'],
  listen: ['host', 'port'],
  maxconcurrency: ['workers', 'concurrency'],
  maxretries: ['maxAttempts'],
  module: ['tasks'],
  parallelism: ['workers', 'concurrency'],
  password: ['credentials'],
  processes: ['workers'],
  processor: ['run'],
  retries: ['maxAttempts'],
  retrybackoff: ['backoffBaseSeconds', 'backoffCapSeconds'],
  retrydelay: ['backoffBaseSeconds', 'backoffCapSeconds'],
  ratelimit: ['rate'],
  schema: ['input'],
  secret: ['credentials'],
  server: ['endpoint'],
  softtimelimit: ['timeoutSeconds'],
  ssl: ['tls'],
  stackname: ['stack'],
  stoponerror: ['maxFailures'],
  store: ['data'],
  threads: ['workers'],
  timelimit: ['timeoutSeconds'],
  timeout: ['timeoutSeconds'],
  timeoutms: ['timeoutSeconds'],
  url: ['endpoint'],
};

/** Fanfold's own options by the same plain names. */
const OWN = new Map(Object.keys(HOMES).map((name) => [plainOf(name), name]));

function homes(call: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, call]));
}

function plainOf(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '');
}

/** Fanfold's options for the name of an option that other tools, or other calls, have. */
export function knownAs(name: string): readonly string[] {
  const plain = plainOf(name);
  if (Object.hasOwn(KNOWN_AS, plain)) return KNOWN_AS[plain] ?? [];
  const own = OWN.get(plain);
  return own === undefined ? [] : [own];
}

/** Options with the calls that have them, such as `workers`, or `concurrency` of defineTask(). */
export function placesOf(options: readonly string[], here: readonly string[] = []): string {
  const isHere = (option: string) => here.includes(option);
  return [
    ...options.filter(isHere).map((option) => `\`${option}\``),
    ...options.filter((option) => !isHere(option)).map(placeOf),
  ].join(', or ');
}

function placeOf(option: string): string {
  const call = Object.hasOwn(HOMES, option) ? HOMES[option] : undefined;
  return call === undefined ? `\`${option}\`` : `\`${option}\` of ${call}`;
}

/**
 * The options that a user may have meant by one that a call does not have.
 *
 * @param here names of the call's own options
 */
export function meant(name: string, here: readonly string[]): string | undefined {
  const known = knownAs(name);
  if (known.length > 0) return placesOf(known, here);
  const near = nearest(name, [...here, ...OWN.values(), ...Object.keys(KNOWN_AS)]);
  if (near === undefined) return undefined;
  const options = here.includes(near) ? [near] : knownAs(near);
  return placesOf(options, here);
}
