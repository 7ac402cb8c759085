import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, parse } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { FanfoldError } from '../errors.ts';
import { nearest } from '../nearest.ts';

/** The URL of a tasks module, from a URL or a path. @throws FanfoldError `BadOption`, `BadTask` */
export function moduleUrl(tasks: URL | string): URL {
  const isUrl = tasks instanceof URL || tasks.startsWith('file:');
  const url = isUrl ? new URL(tasks) : pathToFileURL(tasks);
  if (url.protocol !== 'file:') {
    throw new FanfoldError('BadOption', `A tasks module must be a file; got ${url.href}.`);
  }
  const path = fileURLToPath(url);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) {
    const message = `The tasks module ${path} is a folder: name a file in it.`;
    throw new FanfoldError('BadTask', message);
  }
  if (found) return url;
  const near = nearestModule(path);
  throw new FanfoldError(
    'BadTask',
    `The tasks module ${path} does not exist.${near === undefined ? '' : ` Did you mean ${near}?`}`,
  );
}

const MODULE = /\.[cm]?[jt]sx?$/;

/** The module in the same folder whose name is most like that of a file that does not exist. */
function nearestModule(path: string): string | undefined {
  const folder = dirname(path);
  let modules: string[];
  try {
    modules = readdirSync(folder).filter((name) => MODULE.test(name));
  } catch {
    return undefined;
  }
  const stem = basename(path).replace(MODULE, '');
  const near =
    modules.find((name) => parse(name).name === stem) ?? nearest(basename(path), modules);
  return near === undefined ? undefined : join(folder, near);
}
