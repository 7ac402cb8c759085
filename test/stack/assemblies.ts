import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Folder of the assemblies that the CDK apps of this process write. It is removed after each test
 * file: an app without a folder makes one in the system's temporary folder, and leaves it there.
 */
export const ASSEMBLIES = join(tmpdir(), `fanfold-assemblies-${process.pid}`);
