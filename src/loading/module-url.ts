import { statSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { FanfoldError } from '../errors.ts';

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
  throw new FanfoldError('BadTask', `The tasks module ${path} does not exist.`);
}
