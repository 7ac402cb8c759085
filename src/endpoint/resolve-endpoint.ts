import { hostname, networkInterfaces } from 'node:os';
import { isLoopback } from '../emulator/transport/index.ts';
import { FanfoldError } from '../errors.ts';
import { type Connection, type Join, readJoin, regionOfEnvironment } from './connection.ts';
import { joinFile } from './folders.ts';
import { readSecret } from './secret-files.ts';

/** Environment variable for the join line that `fanfold serve` prints for other machines. */
export const JOIN = 'FANFOLD_JOIN';

/**
 * Finds the connection to the server at an endpoint: from FANFOLD_JOIN; or, for a server on this
 * machine, from the join file that it left; or with the credentials that SDK clients find.
 *
 * @param endpoint default: FANFOLD_JOIN's
 * @throws FanfoldError `BadOption`
 */
export async function findConnection(endpoint: string | undefined): Promise<Connection> {
  const line = process.env[JOIN];
  const join = line ? readJoin(line, JOIN) : undefined;
  if (endpoint === undefined) {
    if (join !== undefined) return join;
    throw new FanfoldError(
      'BadOption',
      `Name the server: --endpoint URL, or the ${JOIN}=... that it prints when it starts.${line === '' ? ` ${JOIN} is empty.` : ''}`,
    );
  }
  const origin = originOf(endpoint);
  if (join !== undefined) {
    if (join.endpoint === origin) return join;
    throw new FanfoldError(
      'BadOption',
      `${JOIN} names the server ${join.endpoint}, but the endpoint is ${origin}: leave one of them out.`,
    );
  }
  return {
    region: regionOfEnvironment(process.env),
    ...leftHere(origin),
    endpoint: origin,
  };
}

/** Join that a server on this machine left for its user's commands. */
function leftHere(origin: string): Join | undefined {
  const { hostname: host, port, protocol } = new URL(origin);
  if (!isHere(host.replace(/^\[|\]$/g, ''))) return undefined;
  let file: string;
  try {
    file = joinFile(Number(port || (protocol === 'https:' ? 443 : 80)));
  } catch {
    // In a container, a user may have no home folder, and so no join file.
    return undefined;
  }
  const text = readSecret(file);
  return text === undefined ? undefined : readJoin(text, file);
}

/** Whether a host name, or an address without brackets, is this machine's. */
export function isHere(host: string): boolean {
  if (isLoopback(host) || host.toLowerCase() === hostname().toLowerCase()) return true;
  return Object.values(networkInterfaces()).some((list) =>
    list?.some(({ address }) => address === host),
  );
}

function originOf(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || !/^https?:\/\/[^/]/.test(endpoint)) {
    throw new FanfoldError(
      'BadOption',
      `An endpoint must be a URL like http://192.168.1.7:9324; got "${endpoint}".`,
    );
  }
  if (url.username === '' && url.password === '') return url.origin;
  throw new FanfoldError(
    'BadOption',
    `The endpoint ${url.origin} contains a secret, and everyone on this machine can read the arguments of a command: put it into ${JOIN} instead.`,
  );
}
