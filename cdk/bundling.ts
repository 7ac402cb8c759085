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

/** This file runs as `.ts` in the repository and as `.js` in the package; so do the entries. */
const HERE = fileURLToPath(import.meta.url);
const FUNCTIONS = join(dirname(HERE), '..', 'functions');

/** What the entries import their tasks from: the tasks that ship, unless the bundler repoints it. */
const TASKS_IMPORT = '#shipped-tasks';

/**
 * Lambda gives a function its credentials in the environment. Where else the SDK looks are parts
 * that it loads when it needs them. Not all of what is never used can be left out: the S3 client
 * imports `@aws-sdk/signature-v4-multi-region` at once, and would not load without it.
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

/** How a function gets its code. */
export type BundledCode = Pick<
  NodejsFunctionProps,
  'entry' | 'handler' | 'projectRoot' | 'depsLockFilePath' | 'bundling'
>;

interface BundleOptions {
  tasksPath: string | undefined;
  given: FanfoldProps['bundling'];
  /** The folder that `nodeModules` are installed in. */
  modules: string | undefined;
}

/**
 * How one of Fanfold's entries becomes a Lambda function's code: one ESM file with the tasks
 * module in it, made by the esbuild that is installed, never in Docker.
 */
export function bundle(
  entry: 'seed' | 'worker',
  { tasksPath, given = {}, modules }: BundleOptions,
): BundledCode {
  const entryPath = join(FUNCTIONS, `${entry}${extname(HERE)}`);
  const alias = tasksPath === undefined ? {} : { [`--alias:${TASKS_IMPORT}`]: tasksPath };
  // CDK would install what Fanfold's own package.json has of them, for the machine that builds.
  const { nodeModules = [], ...others } = given;
  return {
    entry: entryPath,
    handler: 'handler',
    // CDK wants the entry below the root, and a lock file too, which it reads only to install
    // modules. So neither is looked for in the user's project, which may have no lock file, or
    // two, or lie elsewhere than a linked package.
    projectRoot: dirname(FUNCTIONS),
    depsLockFilePath: entryPath,
    bundling: {
      minify: true,
      // Tasks run in workers alone.
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

/** Puts installed modules beside a bundle, before anything else is done for it. */
function withModules(modules: string, given: ICommandHooks | undefined): ICommandHooks {
  return {
    beforeBundling(inputDir, outputDir) {
      // CDK asks for the commands that a container would run as well.
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
    `\`tasks\` is the path of your tasks module, from the folder that the app runs in; ${path} ${found ? 'is not a file' : 'is not there'}.`,
  );
}

/** Where the esbuild is that bundles. Without this check a missing one would be a try at Docker. */
export function requireEsbuild(scope: Construct): string {
  for (const from of [HERE, join(process.cwd(), 'app.js')]) {
    try {
      return createRequire(from).resolve('esbuild');
    } catch {
      // Perhaps it is with the other.
    }
  }
  refuse(
    scope,
    'the functions are bundled with esbuild, which is not installed: npm install --save-dev esbuild',
  );
}
