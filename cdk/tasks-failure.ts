import { NEVER_LOADED } from './bundling.ts';
import { type Platform, packageOf, shownPlatform } from './native-files.ts';
import type { Thrown } from './tasks-load.ts';

/** Node's major version in Lambda. An older Node may reject syntax that is valid there. */
const NODE_OF_LAMBDA = 24;

/** Packages that load the native files of other packages. */
const NATIVE_LOADERS = [
  'bindings',
  'node-gyp-build',
  'node-gyp-build-optional-packages',
  '@mapbox/node-pre-gyp',
];

/** Why a tasks module was not loaded, as the end of a sentence. */
export type Failure =
  /** The error would occur in Lambda too. */
  | { wrong: string }
  /** The module may load in Lambda. */
  | { failed: string };

interface Circumstances {
  target: Platform;
  externalModules: readonly string[];
  nodeModules: readonly string[];
  /** True if the bundle had all of its modules and no others: Lambda lacks the same ones. */
  whole: boolean;
}

export function failureOf(thrown: Thrown, circumstances: Circumstances): Failure {
  const { name, code, message } = thrown;
  const [line = ''] = message.split('\n');
  // By name and code, since another copy of Fanfold may have thrown it.
  if (name === 'FanfoldError' && code === 'BadTask') return { wrong: line };
  const failed = name === '' ? line : `${name}: ${line}`;
  if (isOfParsing(thrown) && nodeMajor() >= NODE_OF_LAMBDA) return { wrong: failed };
  if (!circumstances.whole) return { failed };
  return missing(thrown, circumstances) ?? unbundled(thrown, failed, circumstances) ?? { failed };
}

/** True for an error of Node's loader. Data causes syntax errors too: `at JSON.parse (<anonymous>)`. */
function isOfParsing({ name, frames: [first = ''] }: Thrown): boolean {
  return name === 'SyntaxError' && first.includes('node:internal/');
}

function nodeMajor(): number {
  return Number(process.versions.node.split('.')[0]);
}

/** The failure of an import of a package that is neither in the bundle nor beside it. */
function missing(
  { code, message }: Thrown,
  { externalModules }: Circumstances,
): Failure | undefined {
  if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') return undefined;
  const [, name] =
    /^Cannot find (?:package|module) '((?:@[^/']+\/)?[^./'@][^/']*)/.exec(message) ?? [];
  if (name === undefined) return undefined;
  // A layer of the function may contain it.
  if (externalModules.includes(name)) return { failed: `${name} is not in the bundle` };
  const why = NEVER_LOADED.includes(name)
    ? 'which is left out of the functions, because Lambda provides their credentials. If tasks do need it'
    : 'which is not in the bundle. Install it beside the bundle';
  return { wrong: `it needs ${name}, ${why}: ${installing(name)}` };
}

/** The failure of a package whose native files can't be bundled. */
function unbundled(
  { name, message, frames, lacksNative }: Thrown,
  failed: string,
  { nodeModules, target }: Circumstances,
): Failure | undefined {
  // Without the frames of Node, and of the preloaded code that monitors `require`.
  const code = frames.filter((frame) => !/[( ](node|data):/.test(frame));
  const packages = code.map(packageOf);
  const [thrower] = packages;
  const isOfPackage = thrower !== undefined;
  const wantsFolder = name === 'ReferenceError' && /^__(dirname|filename) is not/.test(message);
  const isNative =
    // Without source maps, the frame does not show which code is a package's.
    (lacksNative && (isOfPackage || code[0]?.includes('index.mjs'))) ||
    (isOfPackage && (wantsFolder || NATIVE_LOADERS.includes(thrower)));
  if (!isNative) return undefined;
  const culprit = packages.find((one) => one !== undefined && !NATIVE_LOADERS.includes(one));
  if (culprit !== undefined && nodeModules.includes(culprit)) {
    return {
      wrong: `${failed}. ${culprit} was installed without a build for ${shownPlatform(target)}. Either your lockfile has none (npm install --os=${target.os} --cpu=${target.cpu} --libc=${target.libc} ${culprit} adds it), or npm is not allowed to run its install script (\`allowScripts\` in your package.json)`,
    };
  }
  const subject = culprit === undefined ? 'A package with native files' : culprit;
  return {
    wrong: `${failed}. ${subject} needs its own files, which a bundle does not contain. Install it beside the bundle: ${installing(culprit ?? '<its name>')}`,
  };
}

/** The remedy, for a user's own app and for Fanfold's app. */
export function installing(name: string): string {
  return `bundling: { nodeModules: ['${name}'] } (-c nodeModules=${name} for the app of a clone)`;
}
