#!/usr/bin/env node
// Plain JavaScript that old versions of Node can read, as older-node.js beside it.
import { fileURLToPath } from 'node:url';

const NEEDED = 24;

if (Number.parseInt(process.versions.node, 10) < NEEDED) {
  const { runOnNewerNode } = await import('./older-node.js');
  await runOnNewerNode(fileURLToPath(import.meta.url), NEEDED);
} else {
  const { enableCompileCache } = await import('node:module');
  enableCompileCache();
  const { main } = await import('#cli');
  await main(process.argv.slice(2));
}
