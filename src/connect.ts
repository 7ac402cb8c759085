import { availableParallelism } from 'node:os';
import { checkWhole, FanfoldError } from './errors.ts';
import { Fanfold } from './fanfold.ts';
import { keep } from './keep.ts';
import { openTasks } from './loading/tasks-module.ts';
import {
  type CallOptions,
  CHECKED,
  checkOptions,
  FUNCTION,
  type Kind,
  MODULE,
  OBJECT,
  TEXT,
} from './options.ts';
import type { LogLine } from './pipeline/working/log-line.ts';
import { type AsIfProps, asIfOf } from './planning/as-if.ts';
import { type PriceCorrections, type PriceTable, priceTable } from './planning/price-table.ts';
import { openInProcess } from './worlds/in-process.ts';
import { openProcesses } from './worlds/processes.ts';
import { openServed, openStack } from './worlds/remote.ts';
import { NAME, type World } from './worlds/world.ts';

/** Options of `connect`, which decide where tasks run. */
export interface ConnectOptions {
  /**
   * The tasks module, as a URL or a path: its tasks run in worker processes.
   *
   * ```ts
   * await connect({ tasks: new URL('./tasks.ts', import.meta.url), workers: 4 });
   * ```
   *
   * @default tasks run in this process, and are known once they are passed to `map`
   */
  tasks?: URL | string;
  /**
   * Number of workers: processes or, without `tasks`, chunks at once in this process; 1 to 1000.
   * Each runs as many inputs at once as the task's `concurrency` allows. Not for `stack` and
   * `endpoint`.
   * @default the number of cores
   */
  workers?: number;
  /**
   * Name of a stack that is deployed on AWS, such as `Photos`, where tasks run.
   * @default none: tasks run on this machine
   */
  stack?: string;
  /**
   * Address of a `fanfold serve`, such as `http://127.0.0.1:9324`, whose workers run the tasks. The
   * secret is FANFOLD_JOIN's, or that of the same user's server on this machine, or the SDK's own.
   * @default none: tasks run on this machine
   */
  endpoint?: string;
  /**
   * Called with problems that were handled, such as a worker that died and was replaced, and with
   * bounds that a run does not reach.
   * @default a process warning
   */
  onWarning?: (message: string) => void;
  /**
   * Called with each line that tasks log or print in worker processes.
   * @default log lines go to standard error as JSON, other output unchanged
   */
  onLog?: ((line: LogLine) => void) | undefined;
  /**
   * Prices that replace AWS's public ones, such as negotiated ones: each in US dollars of one unit,
   * by region, or of all regions as `*`. For `stack` and `asIf`.
   *
   * ```ts
   * await connect({ stack: 'Photos', prices: { '*': { lambda: { gbSecond: { arm64: 0.00001 } } } } });
   * ```
   *
   * @default AWS's public prices
   */
  prices?: PriceCorrections | undefined;
  /**
   * Properties of a stack: runs on this machine are metered as if they ran on it, so that `run.cost`
   * and `maxCost` are known here too.
   *
   * ```ts
   * await connect({ asIf: { memorySize: 2048, region: 'eu-central-1' } });
   * ```
   *
   * @default runs on this machine cost nothing
   */
  asIf?: AsIfProps | undefined;
}

const CONNECT_KINDS: Record<keyof ConnectOptions, Kind> = {
  tasks: MODULE,
  workers: CHECKED,
  stack: TEXT,
  endpoint: TEXT,
  onWarning: FUNCTION,
  onLog: FUNCTION,
  prices: OBJECT,
  asIf: OBJECT,
};

const OPTIONS: CallOptions = { call: 'connect()', kinds: CONNECT_KINDS };

export function connect(options: ConnectOptions = {}): Promise<Fanfold> {
  return keep(open(options));
}

async function open(options: ConnectOptions): Promise<Fanfold> {
  checkOptions(OPTIONS, options);
  const { workers, stack, endpoint, tasks } = options;
  const { onWarning = (message) => process.emitWarning(message, 'FanfoldWarning') } = options;
  if (workers !== undefined) checkWhole('workers', workers, 1, 1000);
  if ([stack, endpoint, tasks].filter((place) => place !== undefined).length > 1) {
    throw new FanfoldError(
      'BadOption',
      'Tasks run in worker processes (`tasks`), on AWS (`stack`) or on a server (`endpoint`): give only one of these options.',
    );
  }
  if (workers !== undefined && (stack ?? endpoint) !== undefined) {
    throw new FanfoldError(
      'BadOption',
      `\`workers\` is for tasks that run on this machine; \`${stack === undefined ? 'endpoint' : 'stack'}\` uses the workers of that place. Leave one of them out.`,
    );
  }
  const prices = options.prices && priceTable(options.prices);
  const asIf = options.asIf && asIfOf(options.asIf);
  if (asIf !== undefined && (stack ?? endpoint) !== undefined) {
    throw new FanfoldError(
      'BadOption',
      '`asIf` is for tasks that run on this machine: leave it out.',
    );
  }
  if (prices !== undefined && stack === undefined && asIf === undefined) {
    throw new FanfoldError(
      'BadOption',
      '`prices` are of runs that are metered, which are those of a stack: give `stack` or `asIf` too, or leave `prices` out.',
    );
  }
  if (stack !== undefined)
    return new Fanfold(withPrices(await openStack(stack), prices), onWarning);
  if (endpoint !== undefined) return new Fanfold(await openServed(NAME, endpoint), onWarning);
  const count = workers ?? availableParallelism();
  if (tasks === undefined) {
    return new Fanfold(withPrices(await openInProcess(count, asIf), prices), onWarning);
  }
  const fanfold = Promise.withResolvers<Fanfold>();
  const world = await openProcesses({
    tasks: openTasks(tasks),
    workers: count,
    onWarning,
    onLog: options.onLog,
    asIf,
    onFailure: (error) => void fanfold.promise.then((opened) => opened.fail(error)),
  });
  fanfold.resolve(new Fanfold(withPrices(world, prices), onWarning));
  return fanfold.promise;
}

function withPrices(world: World, prices: PriceTable | undefined): World {
  return prices ? { ...world, deployment: { ...world.deployment, prices } } : world;
}
