import { homedir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { FanfoldError } from '../errors.ts';

/**
 * This user's folder for what Fanfold has to remember, such as how to reach servers here. A variable
 * that is empty or relative names none, by the XDG Base Directory Specification: the working folder
 * is no place for secrets.
 *
 * @throws FanfoldError `BadOption` where no home folder is known
 */
export function userFolder(): string {
  const { XDG_CONFIG_HOME: config = '' } = process.env;
  return join(isAbsolute(config) ? config : join(homeFolder(), '.config'), 'fanfold');
}

function homeFolder(): string {
  // By HOME, then by the system's list of users, which may not have this one, in a container.
  for (const look of [homedir, () => userInfo().homedir]) {
    try {
      const folder = look();
      if (isAbsolute(folder)) return folder;
    } catch {
      // Told below.
    }
  }
  throw new FanfoldError(
    'BadOption',
    "This user's home folder, where Fanfold keeps how to reach servers here, is not known: set HOME to an absolute path.",
  );
}

/** Where a server on a port of this machine leaves word for this user's commands. */
export function joinFile(port: number): string {
  return join(userFolder(), `join-${port}`);
}
