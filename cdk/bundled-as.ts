/**
 * Gives bundled CommonJS code the names that an ES module lacks. Declarations would clash with those
 * of the bundled code.
 */
const COMMONJS_BANNER =
  "import { createRequire as fanfoldCreateRequire } from 'node:module'; globalThis.require ??= fanfoldCreateRequire(import.meta.url); globalThis.__filename ??= import.meta.filename; globalThis.__dirname ??= import.meta.dirname;";

/**
 * esbuild options for bundling a tasks module for Lambda. Worker processes on this machine load a
 * bundle with the same options, so that code that runs here also runs there.
 */
export const BUNDLED_AS = {
  // The version of nodejs24.x.
  target: 'node24',
  platform: 'node' as const,
  format: 'esm' as const,
  // Most packages have a CommonJS and an ESM build. esbuild tree-shakes only ESM.
  mainFields: ['module', 'main'],
  // Keeps the class names of errors, which results contain.
  keepNames: true,
  banner: COMMONJS_BANNER,
};
