import { registerHooks, setSourceMapsSupport } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FanfoldError, messageOf } from '../errors.ts';
import { IMPORT_META, importedBy, specifierOf, withoutSchemes } from './specifier.ts';
import type { TasksCode } from './tasks-module.ts';

/** Imports a tasks module, in a process dedicated to it. */
export async function importTasks({ url, bundle }: TasksCode): Promise<object> {
  if (bundle === undefined) return import(url);
  // Makes stack traces refer to the source files and lines.
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
    // Linking failed; the location that Node reports is one in the bundle.
    if (!(error instanceof SyntaxError)) throw error;
    throw new Error(withoutSchemes(error.message));
  }
}

/** Gives each bundled file the `import.meta` that it would have without a bundle. */
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

/** Node's error codes for features that bundlers support and Node does not. */
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

/** Explains why a tasks module could not be imported, and what may help. */
export function whyNot(error: unknown, { unbundled }: TasksCode): string {
  const { code = '' }: { code?: string } = Object(error);
  const told = `${messageOf(error)}${error instanceof Error ? placeOf(error) : ''}`;
  const missing = MISSING.has(code) ? packageOf(told) : undefined;
  const reason = missing === undefined ? told : `${told}. Install it: npm install ${missing}.`;
  if (unbundled === undefined) return reason;
  if (!BUNDLERS_WORK.has(code) && !(error instanceof SyntaxError)) return reason;
  return `${/[.!?]$/.test(reason) ? reason : `${reason}.`} ${unbundled}`;
}

const MISSING = new Set(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']);

/** The package that could not be found; undefined for a file, or an alias of a project. */
function packageOf(message: string): string | undefined {
  return /^Cannot find (?:package|module) '((?:@[\w.-]+\/)?[a-z\d][\w.-]*)(?:\/[^']*)?'/i.exec(
    message,
  )?.[1];
}

/** Location of the throw. For a syntax error, Node puts file and line in front of the stack. */
function placeOf(error: Error): string {
  if (error instanceof FanfoldError) return '';
  const { stack = '' } = error;
  const [first = ''] = stack.split('\n');
  if (error instanceof SyntaxError) return /:\d+$/.test(first) ? ` (${first})` : '';
  const [frame = ''] = /^ +at .*$/m.exec(stack) ?? [];
  const [, place] = /(?:file:\/\/)?([^ ()]+:\d+:\d+)\)?$/.exec(frame) ?? [];
  // Errors of the linker have no frame in the module.
  const isTheirs = !frame.includes('node:') && !frame.includes(import.meta.filename);
  return place !== undefined && isTheirs ? ` (${place})` : '';
}
