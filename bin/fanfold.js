#!/usr/bin/env node
// Plain JavaScript that old versions of Node can read. npx and npm scripts put node_modules/.bin
// first in the PATH, so the first line finds the project's own Node; a direct call does not.
const NEEDED = 24;

if (Number.parseInt(process.versions.node, 10) < NEEDED) {
  console.error(
    `fanfold: Node ${NEEDED} or later is needed; this is ${process.versions.node}. After \`npm install --save-dev node@${NEEDED}\`, \`npx fanfold\` and npm scripts run on that one; without them: \`node_modules/.bin/node node_modules/.bin/fanfold\`. If npx finds no other Node then, its install script has not run: allow it, and \`npm rebuild node\`.`,
  );
  process.exitCode = 2;
} else {
  const { enableCompileCache } = await import('node:module');
  enableCompileCache();
  const { main } = await import('#cli');
  await main(process.argv.slice(2));
}
