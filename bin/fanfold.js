#!/usr/bin/env node
// Plain JavaScript that old versions of Node can read: on one of them, it has a newer one go on.
import { followLauncher, isLaunched, launch, NEEDED } from './newer-node.js';

const [major] = process.versions.node.split('.');
if (Number(major) < NEEDED) {
  launch();
} else {
  if (isLaunched) followLauncher();
  const { enableCompileCache } = await import('node:module');
  enableCompileCache();
  const { main } = await import('#cli');
  await main(process.argv.slice(2));
}
