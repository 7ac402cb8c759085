import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { realpath, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { FanfoldError } from '../../index.ts';

/** That one command alone writes an output. */
export interface Lock {
  release(): void;
}

/**
 * Locks an output against other commands on this machine: by a socket that nobody is to connect to,
 * since the system takes it from a process that is gone, however it ended.
 *
 * @throws FanfoldError `BadOption` when another command has it
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

/** A file is the same by whatever way it is named, and whether it is there yet or not. */
async function realPathOf(path: string): Promise<string> {
  const full = resolve(path);
  return realpath(full).catch(async () => join(await realpath(dirname(full)), basename(full)));
}

function addressOf(path: string): string {
  const name = `fanfold-${createHash('sha256').update(path).digest('hex').slice(0, 32)}`;
  // Linux's abstract names and Windows' pipes are not files that could be left over.
  if (process.platform === 'linux') return `\0${name}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`;
  return join(tmpdir(), `${name}.sock`);
}

/** Undefined when the address is taken. */
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

/** Where sockets are files, that of a killed process is left: nobody answers there. */
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
