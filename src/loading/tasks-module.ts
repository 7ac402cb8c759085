import { fileURLToPath } from 'node:url';
import { FanfoldError, messageOf } from '../errors.ts';
import { bundleTasks, findEsbuild, isOwn } from './bundle.ts';
import { loaderOption } from './loaders.ts';
import { moduleUrl } from './module-url.ts';

const INSTALL =
  'Install esbuild, which also bundles the tasks for AWS (npm install --save-dev esbuild), or start Node with a loader (NODE_OPTIONS="--import tsx").';

/** A tasks module, in the form that a worker process loads. */
export interface TasksCode {
  url: string;
  /** Bundled code of the module and its project files. @default Node loads the files */
  bundle?: string;
  /** Why the module was not bundled, and how to change that, in sentences. */
  unbundled?: string;
}

/** A tasks module, for any number of worker processes. */
export interface TasksModule {
  /** URL of its file. */
  readonly url: string;
  /** Rejects with a FanfoldError `BadTask` when esbuild rejects the code. */
  readonly code: Promise<TasksCode>;
}

/**
 * Opens a tasks module, given as a URL or a path. If esbuild is installed, the module is bundled as
 * for Lambda, since Node supports less than a bundler does: only a part of TypeScript, and no
 * import without an extension. Otherwise Node loads it, or the loader that Node was started with.
 *
 * @throws FanfoldError `BadOption`, `BadTask`
 */
export function openTasks(tasks: URL | string): TasksModule {
  const url = moduleUrl(tasks);
  const code = codeOf(url);
  // Handled where workers are started.
  code.catch(() => {});
  return { url: url.href, code };
}

async function codeOf({ href: url }: URL): Promise<TasksCode> {
  const path = fileURLToPath(url);
  if (isOwn(path)) return { url };
  const loader = loaderOption();
  if (loader !== undefined) {
    return {
      url,
      unbundled: `Node's option ${loader} determines how it is loaded. Without that option, esbuild bundles it, as for AWS.`,
    };
  }
  const esbuild = findEsbuild(path);
  if (esbuild === undefined)
    return { url, unbundled: `Node itself loads less than a bundler does. ${INSTALL}` };
  try {
    return { url, bundle: await bundleTasks(esbuild, path) };
  } catch (error) {
    if (error instanceof FanfoldError) throw error;
    // For example, its binary may be for another platform. Node may be able to load the module.
    return { url, unbundled: `esbuild could not be run: ${messageOf(error)} ${INSTALL}` };
  }
}
