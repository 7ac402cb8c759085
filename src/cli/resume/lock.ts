import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { realpath, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { FanfoldError } from '../../index.ts';

/** The exclusive right of a command to write an output. */
export interface Lock {
  release(): void;
}

/**
 * Locks an output against other commands on this machine. The lock is a listening socket, since the
 * system closes it when the process ends, for whatever reason.
 *
 * @throws FanfoldError `BadOption` when another command holds the lock
 */
export async function lock(output: string): Promise<Lock> {
  const address = addressOf(await realPathOf(output));
  const server = (await listen(address)) ?? (await listenAgain(address));
  if (server) return { release: () => void server.close() };
  throw new FanfoldError(
    'BadOption',
    `Another fanfold command is writing ${output}: let it end first, or name another file.`,
  );
}

/** Resolves links, so that all names of a file give the same path, even before the file exists. */
async function realPathOf(path: string): Promise<string> {
  const full = resolve(path);
  return realpath(full).catch(async () => join(await realpath(dirname(full)), basename(full)));
}

function addressOf(path: string): string {
  const name = `fanfold-${createHash('sha256').update(path).digest('hex').slice(0, 32)}`;
  // Linux's abstract sockets and Windows' named pipes leave no files behind.
  if (process.platform === 'linux') return `\0${name}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`;
  return join(tmpdir(), `${name}.sock`);
}

/** Returns undefined if the address is in use. */
async function listen(address: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  try {
    await once(server.listen(address), 'listening');
    return server;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
}

/** Replaces the socket file that a killed process has left, if no process answers on it. */
async function listenAgain(address: string): Promise<Server | undefined> {
  if (!address.startsWith('/')) return undefined;
  const socket = connect(address);
  const answered = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  if (answered) return undefined;
  await unlink(address).catch(() => {});
  return listen(address);
}
