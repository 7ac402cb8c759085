// The calls of the public API, whose code is loaded when they are called: tasks modules import this
// package in each worker process, and need none of it.
import type { ConnectOptions } from './connect.ts';
import type { DiagnoseOptions, Diagnosis } from './doctor/diagnose.ts';
import { FanfoldError } from './errors.ts';
import type { Fanfold } from './fanfold.ts';
import { keep } from './keep.ts';
import type { Served, ServeOptions } from './serve/serve.ts';
import type { Work, WorkOptions } from './work/work.ts';

/**
 * Connects to the place where tasks run: this process by default, worker processes with `tasks`,
 * AWS with `stack`, a server with `endpoint`.
 *
 * ```ts
 * await using fanfold = await connect();
 * for await (const result of fanfold.map(double, [1, 2, 3])) console.log(result);
 * ```
 *
 * @throws FanfoldError `BadOption` for options that don't fit, or a stack that does not exist;
 * `BadTask` for a tasks module that can't be loaded, or not within 60 seconds; `RunFailed` for a
 * server that does not answer or refuses the secret. Errors of AWS are the SDK's own, with a
 * message that says what to do
 */
export function connect(options: ConnectOptions = {}): Promise<Fanfold> {
  const load = async () => (await import('./connect.ts')).connect(options);
  return withRemedy(keep(load()));
}

/** Makes a call of `map` on the promise itself, which no type allows, say what is missing. */
function withRemedy(connecting: Promise<Fanfold>): Promise<Fanfold> {
  const map = () => {
    throw new FanfoldError(
      'BadOption',
      'connect() returns a promise of a connection: const fanfold = await connect(), then fanfold.map(task, inputs).',
    );
  };
  return Object.defineProperty(connecting, 'map', { value: map });
}

/**
 * Serves SQS and Lambda on one port, with the deployment's queues and seed function. Every request
 * must be signed. If other machines can reach the server, it uses TLS.
 *
 * @throws FanfoldError `BadOption`, `BadTask`; `StoreInUse` and `DamagedStore` for its folder
 */
export async function serve(options: ServeOptions): Promise<Served> {
  return (await import('./serve/serve.ts')).serve(options);
}

/**
 * Starts worker processes on this machine that receive chunks from a server, or from a stack on
 * AWS, until they are closed. If the server stops answering, they wait for it.
 *
 * @throws FanfoldError `RunFailed` when the server does not answer or refuses the secret;
 *   `BadOption`, `BadTask`. Errors of AWS are the SDK's own, with an explanation
 */
export async function work(options: WorkOptions): Promise<Work> {
  return (await import('./work/work.ts')).work(options);
}

/**
 * Checks this machine, the AWS account, and a stack if one is named, for problems. It changes
 * nothing. A check that lacks a permission reports that as its finding.
 *
 * @throws FanfoldError `BadOption`
 */
export async function diagnose(options: DiagnoseOptions = {}): Promise<Diagnosis> {
  return (await import('./doctor/diagnose.ts')).diagnose(options);
}
