/**
 * Gives bundled CommonJS packages their `require`. Not by a declaration, which would clash with
 * one of the same name in the bundled code.
 */
const REQUIRE_BANNER =
  "import { createRequire as fanfoldCreateRequire } from 'node:module'; globalThis.require ??= fanfoldCreateRequire(import.meta.url);";

/**
 * Options of esbuild that a tasks module is bundled with for Lambda. Worker processes on this
 * machine load it bundled with the same ones, so that what runs here runs there.
 */
export const BUNDLED_AS = {
  // The version of nodejs24.x.
  target: 'node24',
  platform: 'node' as const,
  format: 'esm' as const,
  // Most packages carry a CommonJS and an ESM form: esbuild drops unused parts of the latter only.
  mainFields: ['module', 'main'],
  // Errors carry their class's name to the collector.
  keepNames: true,
  banner: REQUIRE_BANNER,
};
