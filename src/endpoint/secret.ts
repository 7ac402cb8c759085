import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Credentials } from '../emulator/auth/index.ts';
import { FanfoldError } from '../errors.ts';
import { secretFile } from './secret-files.ts';

/** A server's key pair and where it is from. */
export interface Secret {
  credentials: Credentials;
  /** The file that holds it; undefined where it was given. */
  file: string | undefined;
}

/** The key pair that was made for a folder's server, or a new one. */
export async function secretIn(folder: string): Promise<Secret> {
  const file = join(folder, 'credentials');
  return { credentials: read(await secretFile(file, make), file), file };
}

/** The key pair in the environment, where there is one. @throws FanfoldError when there is half of one */
export function secretOfEnvironment(environment: NodeJS.ProcessEnv): Credentials | undefined {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  if (!accessKeyId && !secretAccessKey) return undefined;
  if (accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey };
  const [given, missing] = accessKeyId
    ? ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']
    : ['AWS_SECRET_ACCESS_KEY', 'AWS_ACCESS_KEY_ID'];
  throw new FanfoldError(
    'BadOption',
    `The environment has ${given} and no ${missing}: set both for the server's key pair, or neither to have one made.`,
  );
}

/** In the format of AWS's own credentials file, so that any AWS client can be pointed to it. */
function make(): string {
  const id = `FANFOLD${randomBytes(8).toString('hex').toUpperCase()}`;
  const secret = randomBytes(30).toString('base64url');
  return `# Whoever has these may use this server: AWS_SHARED_CREDENTIALS_FILE may name this file.\n[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`;
}

/** Whether a key was made so, for one folder alone. */
export function isMade(accessKeyId: string): boolean {
  return /^FANFOLD[0-9A-F]{16}$/.test(accessKeyId);
}

function read(text: string, file: string): Credentials {
  const accessKeyId = /^aws_access_key_id *= *([^\s,/=]+)\s*$/m.exec(text)?.[1];
  const secretAccessKey = /^aws_secret_access_key *= *(\S+)\s*$/m.exec(text)?.[1];
  if (accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey };
  throw new FanfoldError(
    'BadOption',
    `${file} is to hold aws_access_key_id and aws_secret_access_key, and does not: delete it for a new key pair.`,
  );
}
