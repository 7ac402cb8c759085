import { homedir } from 'node:os';
import { join } from 'node:path';

/** This user's folder for what Fanfold has to remember, such as how to reach servers here. */
export function userFolder(): string {
  return join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'fanfold');
}

/** Where a server on a port of this machine leaves word for this user's commands. */
export function joinFile(port: number): string {
  return join(userFolder(), `join-${port}`);
}
