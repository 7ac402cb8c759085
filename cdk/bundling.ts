import { cpSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AssetStaging } from 'aws-cdk-lib';
import {
  type ICommandHooks,
  LogLevel,
  type NodejsFunctionProps,
  OutputFormat,
} from 'aws-cdk-lib/aws-lambda-nodejs';
import type { Construct } from 'constructs';
import { BUNDLED_AS } from './bundled-as.ts';
import type { FanfoldProps } from './props.ts';
import { refuse } from './refuse.ts';

/** This file, `.ts` in the repository and `.js` in the package, as are the entries. */
const HERE = fileURLToPath(import.meta.url);
const FUNCTIONS = join(dirname(HERE), '..', 'functions');

/** Specifier from which the entries import tasks: the built-in ones, unless esbuild aliases it. */
const TASKS_IMPORT = '#shipped-tasks';

/**
 * Packages that are left out of the bundle: Lambda provides credentials in the environment, and the
 * SDK loads its other credential providers only on demand. Some unused packages must stay: the S3
 * client imports `@aws-sdk/signature-v4-multi-region` statically, and would not load without it.
 */
export const NEVER_LOADED = [
  '@aws-sdk/credential-provider-http',
  '@aws-sdk/credential-provider-ini',
  '@aws-sdk/credential-provider-login',
  '@aws-sdk/credential-provider-process',
  '@aws-sdk/credential-provider-sso',
  '@aws-sdk/credential-provider-web-identity',
  '@smithy/credential-provider-imds',
];

/** Props that define a function's code. */
export type BundledCode = Pick<
  NodejsFunctionProps,
  'entry' | 'handler' | 'projectRoot' | 'depsLockFilePath' | 'bundling'
>;

interface BundleOptions {
  /** @default the built-in tasks, if the entry has tasks */
  tasksPath?: string | undefined;
  given?: FanfoldProps['bundling'];
  /** The folder that `nodeModules` are installed in. */
  modules?: string | undefined;
}

/**
 * Defines the code of a Lambda function for one of Fanfold's entries: one ESM file, bundled by the
 * installed esbuild, never in Docker. That of the seed and of workers includes the tasks module.
 */
export function bundle(
  entry: 'seed' | 'worker' | 'collector',
  { tasksPath, given = {}, modules }: BundleOptions = {},
): BundledCode {
  const entryPath = join(FUNCTIONS, `${entry}${extname(HERE)}`);
  const alias = tasksPath === undefined ? {} : { [`--alias:${TASKS_IMPORT}`]: tasksPath };
  // CDK would install versions from Fanfold's own package.json, for the machine that builds.
  const { nodeModules = [], ...others } = given;
  return {
    entry: entryPath,
    handler: 'handler',
    // CDK requires the entry to be below the root, and a lock file, which it reads only to install
    // modules. Both are set here, since the user's project may have no lock file, or two, or not
    // contain a linked package.
    projectRoot: dirname(FUNCTIONS),
    depsLockFilePath: entryPath,
    bundling: {
      minify: true,
      // Tasks run only in workers.
      keepNames: entry === 'worker' && BUNDLED_AS.keepNames,
      sourceMap: true,
      sourcesContent: false,
      logLevel: LogLevel.WARNING,
      target: BUNDLED_AS.target,
      ...others,
      format: OutputFormat.ESM,
      mainFields: BUNDLED_AS.mainFields,
      bundleAwsSDK: true,
      externalModules: [...NEVER_LOADED, ...(given.externalModules ?? []), ...nodeModules],
      banner: [BUNDLED_AS.banner, given.banner].filter(Boolean).join('\n'),
      esbuildArgs: { ...given.esbuildArgs, ...alias },
      ...(modules === undefined ? {} : { commandHooks: withModules(modules, given.commandHooks) }),
    },
  };
}

/** Copies installed modules beside a bundle, before any other command hook runs. */
function withModules(modules: string, given: ICommandHooks | undefined): ICommandHooks {
  return {
    beforeBundling(inputDir, outputDir) {
      // CDK also calls this for the commands that a container would run.
      if (outputDir !== AssetStaging.BUNDLING_OUTPUT_DIR) {
        cpSync(join(modules, 'node_modules'), join(outputDir, 'node_modules'), {
          recursive: true,
          verbatimSymlinks: true,
        });
      }
      const beforeBundling = given?.beforeBundling(inputDir, outputDir) ?? [];
      return [...beforeBundling, ...(given?.beforeInstall(inputDir, outputDir) ?? [])];
    },
    beforeInstall: () => [],
    afterBundling: (inputDir, outputDir) => given?.afterBundling(inputDir, outputDir) ?? [],
  };
}

export function tasksModule(scope: Construct, tasks: string): string {
  const path = resolve(tasks);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile()) return path;
  refuse(
    scope,
    `\`tasks\` must be the path of your tasks module, relative to the folder that the app runs in; ${path} ${found ? 'is not a file' : 'does not exist'}.`,
  );
}

/** Finds esbuild. Without it, CDK would try Docker instead of reporting that it is missing. */
export function requireEsbuild(scope: Construct): string {
  for (const from of [HERE, join(process.cwd(), 'app.js')]) {
    try {
      return createRequire(from).resolve('esbuild');
    } catch {
      // The other place may have it.
    }
  }
  refuse(
    scope,
    'esbuild, which bundles the functions, is not installed: npm install --save-dev esbuild',
  );
}
