import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Duration, Stack } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { Construct } from 'constructs';
import { type BundledCode, bundle, requireEsbuild, tasksModule } from './bundling.ts';
import { finishedCode } from './finished-code.ts';
import type { Platform } from './native-files.ts';
import { installNodeModules } from './node-modules.ts';
import type { FanfoldProps } from './props.ts';
import { refuse } from './refuse.ts';
import { checkTasks } from './tasks-check.ts';
import { installing } from './tasks-failure.ts';

interface Codes {
  seedCode: BundledCode;
  workerCode: BundledCode;
  /** Undefined if no function collects results. */
  collectorCode: BundledCode | undefined;
}

interface BundledFunctions {
  seed: NodejsFunction;
  worker: NodejsFunction;
}

/**
 * Bundles the functions' code, with `nodeModules` installed, makes the functions, and checks their
 * finished code.
 *
 * @throws FanfoldPropsError when the code can't be bundled, or is wrong
 */
export function withCode<Made extends BundledFunctions>(
  scope: Construct,
  { props, timeout }: { props: FanfoldProps; timeout: Duration },
  make: (codes: Codes) => Made,
): Made {
  const { tasks, bundling = {}, s3Results = true } = props;
  const { nodeModules = [], environment = {} } = bundling;
  const path = tasks === undefined ? undefined : tasksModule(scope, tasks);
  const target = platformOf(props.architecture);
  const required = Stack.of(scope).bundlingRequired;
  if (required) requireEsbuild(scope);
  const from = path === undefined ? process.cwd() : dirname(path);
  const wanted = { names: nodeModules, from, target, environment };
  const installs = required && nodeModules.length > 0;
  const modules = installs ? installNodeModules(scope, wanted) : undefined;
  try {
    const of = { tasksPath: path, given: bundling, modules };
    const made = make({
      seedCode: bundle('seed', of),
      workerCode: bundle('worker', of),
      // Options for the tasks do not apply: it contains none.
      collectorCode: s3Results ? bundle('collector') : undefined,
    });
    if (path === undefined || !required) return made;
    const codes = [finishedCode(made.worker), finishedCode(made.seed)];
    checkTasks(scope, codes, { path, timeoutSeconds: timeout.toSeconds(), target, bundling });
    return made;
  } catch (error) {
    // https://github.com/aws/aws-cdk/blob/main/packages/aws-cdk-lib/core/lib/asset-staging.ts
    if ((error as Error).name !== 'FailedToBundleAsset') throw error;
    return refuse(
      scope,
      `${path === undefined ? 'the functions' : `the tasks module ${path}`} cannot be bundled: see esbuild's errors above. If they concern a package with native files (*.node), install it beside the bundle instead: ${installing('<its name>')}.`,
    );
  } finally {
    if (modules !== undefined) rmSync(modules, { recursive: true, force: true });
  }
}

/** The platform of Lambda's nodejs24.x, which is Amazon Linux 2023. */
function platformOf(architecture: Architecture = Architecture.ARM_64): Platform {
  const cpu = architecture.name === Architecture.X86_64.name ? 'x64' : 'arm64';
  return { os: 'linux', cpu, libc: 'glibc' };
}
