#!/usr/bin/env node
// Plain JavaScript that old versions of Node can read: it says which one is needed.
const [major] = process.versions.node.split('.');
if (Number(major) < 24) {
  console.error(
    `fanfold: Node 24 or later is needed; this is ${process.versions.node}. \`npm install --save-dev node@24\` puts one next to your packages, and \`npx fanfold\` uses it.`,
  );
  process.exitCode = 2;
} else {
  const { enableCompileCache } = await import('node:module');
  enableCompileCache();
  const { main } = await import('#cli');
  await main(process.argv.slice(2));
}
