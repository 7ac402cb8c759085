import type { Handler } from '../../../src/emulator/lambda/function.ts';
import type { Lambda } from '../../../src/emulator/lambda/index.ts';
import { type Callers, credentialsOf } from './callers.ts';
import { Environment } from './environment.ts';
import type { FunctionDefinition } from './functions.ts';
import type { Authority, Principal } from './policies/index.ts';
import { type Place, TemplateError } from './template.ts';

type Context = Parameters<Handler>[1];

interface RunningOptions {
  readonly lambda: Lambda;
  readonly authority: Authority;
  readonly definitions: readonly FunctionDefinition[];
  readonly roles: readonly Principal[];
  /** ARNs of the roles that Lambda may assume. */
  readonly assumable: ReadonlySet<string>;
  readonly callers: Callers;
  readonly place: Place;
  /** Variables that direct a process to the port instead of AWS. */
  readonly env: Readonly<Record<string, string>>;
}

/** The functions of a template: their invocations run in their own processes. */
export class RunningFunctions {
  readonly #environments = new Map<string, Environment>();
  readonly #byFunction = new Map<string, Environment[]>();
  readonly #lines = new Map<string, string[]>();
  readonly #invocations = new Map<string, number>();
  readonly #billedMs = new Map<string, number>();
  #running = 0;
  /** Every failed invocation, as `function: error: message`: some are reported nowhere else. */
  readonly failures: string[] = [];
  #closed = false;

  constructor(options: RunningOptions) {
    for (const definition of options.definitions) this.#add(definition, options);
  }

  /** The lines of a function's log group. */
  log(name: string): readonly string[] {
    return this.#lines.get(name) ?? [];
  }

  /** The number of invocations of a function, failed ones included. */
  invocations(name: string): number {
    return this.#invocations.get(name) ?? 0;
  }

  /** Milliseconds that AWS would bill for a function's invocations that have ended, with INIT. */
  billedMs(name: string): number {
    return this.#billedMs.get(name) ?? 0;
  }

  /** Number of running invocations of all functions. */
  get running(): number {
    return this.#running;
  }

  /** Kills the processes of a function, as if their machines had failed. */
  killProcesses(name: string): void {
    for (const environment of this.#byFunction.get(name) ?? []) environment.kill();
  }

  /** Ends all processes, and starts no more. */
  kill(): void {
    this.#closed = true;
    for (const environment of this.#environments.values()) environment.kill();
  }

  #add(definition: FunctionDefinition, options: RunningOptions): void {
    const { name, roleArn, memoryMb, timeoutSeconds, reservedConcurrency } = definition;
    const role = options.roles.find(({ arn }) => arn === roleArn);
    if (role === undefined) {
      throw new TemplateError(`${definition.logicalId}.Role is ${roleArn}, which is no role here.`);
    }
    if (!options.assumable.has(roleArn)) {
      throw new TemplateError(
        `The role defined for the function ${name} cannot be assumed by Lambda (${roleArn}).`,
      );
    }
    const credentials = credentialsOf(options.callers.add(role, name));
    const lines: string[] = [];
    this.#lines.set(name, lines);
    const handler: Handler = async (event, context) => {
      if (this.#closed) throw new Error('The deployment is closed.');
      this.#invocations.set(name, this.invocations(name) + 1);
      this.#running++;
      const { logStreamName } = context;
      let environment = this.#environments.get(logStreamName);
      if (environment === undefined || environment.ended) {
        const keptLog = mayLog(definition, role, options);
        environment = new Environment({
          env: {
            ...lambdaVariables(definition, context, options.place),
            ...credentials,
            ...options.env,
            ...definition.variables,
          },
          memoryMb,
          onLine: (line) => keptLog && lines.push(line),
          onBilled: (ms) => this.#billedMs.set(name, this.billedMs(name) + ms),
        });
        this.#environments.set(logStreamName, environment);
        this.#byFunction.set(name, [...(this.#byFunction.get(name) ?? []), environment]);
      }
      if (definition.traced) mayTrace(role, options.authority);
      return environment
        .invoke(event, context)
        .catch((error: Error) => {
          if (!this.#closed) this.failures.push(`${name}: ${error.name}: ${error.message}`);
          throw error;
        })
        .finally(() => {
          this.#running--;
        });
    };
    const { maxRetryAttempts, maxEventAgeSeconds } = definition;
    options.lambda.addFunction(name, handler, {
      timeoutSeconds,
      memoryMb,
      ...(reservedConcurrency === undefined ? {} : { concurrency: reservedConcurrency }),
      ...(maxRetryAttempts === undefined ? {} : { maxRetryAttempts }),
      ...(maxEventAgeSeconds === undefined ? {} : { maxEventAgeSeconds }),
    });
  }
}

/** Lambda writes a function's log with the function's role; without permission, nothing is stored. */
function mayLog(
  { logGroup }: FunctionDefinition,
  role: Principal,
  { authority, place: { region, accountId } }: RunningOptions,
): boolean {
  const group = `arn:aws:logs:${region}:${accountId}:log-group:${logGroup}`;
  return ['logs:CreateLogStream', 'logs:PutLogEvents']
    .map((action) => authority.check(role, { action, resource: `${group}:log-stream:any` }, {}, []))
    .every((denial) => denial === undefined);
}

function mayTrace(role: Principal, authority: Authority): void {
  for (const action of ['xray:PutTraceSegments', 'xray:PutTelemetryRecords']) {
    authority.check(role, { action, resource: '*' }, {}, []);
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
function lambdaVariables(
  { name, code, handler, memoryMb, logGroup, logFormat }: FunctionDefinition,
  { logStreamName }: Context,
  { region }: Place,
): Record<string, string> {
  return {
    _HANDLER: handler,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_FORMAT: logFormat,
    AWS_LAMBDA_LOG_GROUP_NAME: logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: logStreamName,
    AWS_REGION: region,
    LAMBDA_RUNTIME_DIR: '/var/runtime',
    LAMBDA_TASK_ROOT: code,
    LANG: 'en_US.UTF-8',
    PATH: '/usr/local/bin:/usr/bin:/bin',
    TZ: ':UTC',
  };
}
