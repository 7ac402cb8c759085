import { namesOf } from '../pipeline/names.ts';
import { noDeployment } from '../pipeline/run/deployment.ts';
import { openAccount } from '../worlds/remote.ts';
import { roomFor } from './account.ts';
import { AwsReader, findingOf } from './aws.ts';

/** The construct's default. */
const MEMORY_MB = 1_024;

/** The settings of a deployment that decide how long runs take, and what they cost. */
export interface DeployedSize {
  /** Memory of a worker, in MiB. */
  memoryMb: number;
  architecture: 'arm64' | 'x86_64';
  maxConcurrency: number;
  burst: number;
  /** Workers that the account has room for; undefined if it does not tell. */
  accountConcurrency: number | undefined;
  /** Sentences about what the account cannot hold. */
  notes: string[];
}

/**
 * Reads the settings of a deployed stack.
 *
 * @throws FanfoldError `BadOption` when it does not exist
 */
export async function deployedSize(stack: string): Promise<DeployedSize> {
  const clients = await openAccount(stack);
  try {
    const reader = new AwsReader(clients, namesOf(stack));
    const { workers: maxConcurrency, burst } = await reader.seed();
    const [{ notes, ...worker }, room] = await Promise.all([
      workerOf(reader),
      roomOf(reader, maxConcurrency),
    ]);
    return { ...worker, maxConcurrency, burst, ...room, notes: [...notes, ...room.notes] };
  } finally {
    for (const client of Object.values(clients)) client.destroy();
  }
}

/** Memory and architecture of the worker function; the construct's defaults if AWS does not tell. */
async function workerOf(reader: AwsReader) {
  const { worker } = reader.names;
  try {
    const of = await reader.configuration(worker);
    if (of === undefined) throw noDeployment(reader.names, `function ${worker}`);
    const { MemorySize: memoryMb, Architectures: [architecture] = [] } = of;
    if (memoryMb === undefined)
      throw new Error(`Lambda's answer about ${worker} has no MemorySize.`);
    return { memoryMb, architecture: architectureOf(architecture), notes: [] };
  } catch (error) {
    const { says, remedy = '' } = findingOf(error);
    const notes = [`This supposes workers of ${MEMORY_MB} MB on arm64. ${says} ${remedy}`];
    return { memoryMb: MEMORY_MB, architecture: 'arm64' as const, notes };
  }
}

/** Lambda's default is x86_64. */
function architectureOf(told: string | undefined): 'arm64' | 'x86_64' {
  return told === 'arm64' ? 'arm64' : 'x86_64';
}

/** The room that the account has for workers, as `fanfold doctor` reports it. */
async function roomOf(reader: AwsReader, workers: number) {
  const { worker, burst } = reader.names;
  try {
    const [{ AccountLimit }, ...reservations] = await Promise.all([
      reader.settings(),
      reader.reserved(worker),
      reader.reserved(burst),
    ]);
    const free = AccountLimit?.UnreservedConcurrentExecutions;
    if (free === undefined) return { accountConcurrency: undefined, notes: [] };
    const reserved = reservations.reduce<number>((sum, number) => sum + (number ?? 0), 0);
    const { level, says, remedy = '' } = roomFor(Math.max(0, workers - reserved), free);
    const notes = level === 'ok' ? [] : [`${says} ${remedy}`];
    return { accountConcurrency: free + reserved, notes };
  } catch (error) {
    const { says, remedy = '' } = findingOf(error);
    return { accountConcurrency: undefined, notes: [`${says} ${remedy}`] };
  }
}
