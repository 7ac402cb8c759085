import { FanfoldError } from '../../errors.ts';
import { type S3Folder, urlOf } from '../messages/results-place.ts';
import type { Manifest } from './manifest.ts';

const VERSION = 1;

/**
 * Reads the text of a run's `manifest.json`.
 *
 * @param folder that it was read from, whose last name is the run's id
 * @throws FanfoldError `BadMessage` when it is not the manifest of that run
 */
export function manifestIn(text: string, folder: S3Folder): Manifest {
  const url = `${urlOf(folder)}manifest.json`;
  const manifest = parsed(text);
  if (!isManifest(manifest)) {
    throw new FanfoldError(
      'BadMessage',
      `${url} must be the manifest of a run, of version ${VERSION}; got ${text.length > 100 ? `${text.slice(0, 100)}...` : text || 'an empty object'}. Was it written by another version of Fanfold, or by another program?`,
    );
  }
  const runId = folder.prefix.split('/').at(-2);
  if (manifest.runId === runId) return manifest;
  throw new FanfoldError(
    'BadMessage',
    `${url} must be the manifest of run ${runId}; got that of run ${manifest.runId}. Was it copied from another folder?`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isManifest(value: unknown): value is Manifest {
  const { v, runId, task, format, folder, ledger, parts, failures } = fieldsOf(value);
  const { inputs, ok, failed, cancelled } = fieldsOf(ledger);
  return (
    v === VERSION &&
    [runId, task, format, folder].every((text) => typeof text === 'string') &&
    [inputs, ok, failed, cancelled].every(isCount) &&
    Array.isArray(parts) &&
    parts.every(isPart) &&
    Array.isArray(failures) &&
    failures.every(isGroup)
  );
}

function isPart(value: unknown): boolean {
  const { key, kind, bytes, results, indexes, folder } = fieldsOf(value);
  const texts = [key, kind, ...(folder === undefined ? [] : [folder])];
  return (
    texts.every((text) => typeof text === 'string') &&
    [bytes, results].every(isCount) &&
    Array.isArray(indexes)
  );
}

function isGroup(value: unknown): boolean {
  const { code, message, count, indexes } = fieldsOf(value);
  const texts = [code, message];
  return (
    texts.every((text) => typeof text === 'string') && isCount(count) && Array.isArray(indexes)
  );
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return Object(value);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
