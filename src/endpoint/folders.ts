import { homedir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { FanfoldError } from '../errors.ts';

/**
 * This user's folder for Fanfold's own files, such as the join lines of servers on this machine. By
 * the XDG Base Directory Specification, an empty or relative variable is ignored: secrets must not
 * end up in the working folder.
 *
 * @throws FanfoldError `BadOption` where no home folder is known
 */
export function userFolder(): string {
  const { XDG_CONFIG_HOME: config = '' } = process.env;
  return join(isAbsolute(config) ? config : join(homeFolder(), '.config'), 'fanfold');
}

function homeFolder(): string {
  // HOME first, then the system's user list, which may lack this user in a container.
  for (const folderOf of [homedir, () => userInfo().homedir]) {
    try {
      const folder = folderOf();
      if (isAbsolute(folder)) return folder;
    } catch {
      // The error below reports it.
    }
  }
  throw new FanfoldError(
    'BadOption',
    'The home folder, where Fanfold stores the secrets of servers, is unknown: set HOME to an absolute path.',
  );
}

/** File in which a server on a port of this machine leaves its join for the user's commands. */
export function joinFile(port: number): string {
  return join(userFolder(), `join-${port}`);
}
