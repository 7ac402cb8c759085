import { registerHooks, setSourceMapsSupport } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FanfoldError, messageOf } from '../errors.ts';
import { isTypeScript } from './loaders.ts';
import { IMPORT_META, importedBy, specifierOf, withoutSchemes } from './specifier.ts';
import type { TasksCode } from './tasks-module.ts';

/** Imports a tasks module, in a process that does nothing else. */
export async function importTasks({ url, bundle }: TasksCode): Promise<object> {
  if (bundle === undefined) return import(url);
  // Stacks name the files that people wrote, and their lines.
  setSourceMapsSupport(true, { nodeModules: false, generatedCode: false });
  provideImportMeta();
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (specifier === url) return { url, format: 'module', shortCircuit: true };
      const imported = importedBy(specifier);
      if (imported === undefined) return nextResolve(specifier, context);
      const { parentURL } = imported;
      return nextResolve(imported.specifier, { ...context, parentURL });
    },
    load(loaded, context, nextLoad) {
      if (loaded !== url) return nextLoad(loaded, context);
      return { format: 'module', source: bundle, shortCircuit: true };
    },
  });
  try {
    const { tasks } = (await import(url)) as { tasks: object };
    return tasks;
  } catch (error) {
    // Linking failed, and the place that Node names is one of the bundle.
    if (!(error instanceof SyntaxError)) throw error;
    throw new Error(withoutSchemes(error.message));
  }
}

/** Gives each file of the bundle the `import.meta` that it has where Node loads it by itself. */
function provideImportMeta(): void {
  const of = (url: string) => {
    const filename = fileURLToPath(url);
    return {
      ...{ url, filename, dirname: dirname(filename), main: false },
      resolve: (specifier: string) =>
        import.meta.resolve(specifierOf({ specifier, parentURL: url })),
    };
  };
  Object.assign(globalThis, { [Symbol.for(IMPORT_META)]: of });
}

/** Codes of Node's errors where a file asks for what bundlers do, and Node does not. */
const BUNDLERS_WORK = new Set([
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'ERR_INVALID_TYPESCRIPT_SYNTAX',
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_MODULE_NOT_FOUND',
  'MODULE_NOT_FOUND',
  'ERR_UNSUPPORTED_DIR_IMPORT',
  'ERR_IMPORT_ATTRIBUTE_MISSING',
  'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING',
]);

/** Why a tasks module could not be imported, and what may help. */
export function whyNot(error: unknown, { url, unbundled }: TasksCode): string {
  const reason = `${messageOf(error)}${error instanceof Error ? placeOf(error) : ''}`;
  if (unbundled === undefined || !isTypeScript(new URL(url).pathname)) return reason;
  const { code = '' }: { code?: string } = Object(error);
  if (!BUNDLERS_WORK.has(code) && !(error instanceof SyntaxError)) return reason;
  return `${/[.!?]$/.test(reason) ? reason : `${reason}.`} ${unbundled}`;
}

/** Where it was thrown; of a syntax error, Node puts the file and line in front of its stack. */
function placeOf(error: Error): string {
  if (error instanceof FanfoldError) return '';
  const { stack = '' } = error;
  const [first = ''] = stack.split('\n');
  if (error instanceof SyntaxError) return /:\d+$/.test(first) ? ` (${first})` : '';
  const [frame = ''] = /^ +at .*$/m.exec(stack) ?? [];
  const [, place] = /(?:file:\/\/)?([^ ()]+:\d+:\d+)\)?$/.exec(frame) ?? [];
  // The linker's errors have no frame of the module's.
  const isTheirs = !frame.includes('node:') && !frame.includes(import.meta.filename);
  return place !== undefined && isTheirs ? ` (${place})` : '';
}
