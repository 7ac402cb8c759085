// Puts the repository's own package.json back after `npm pack`.
import { renameSync } from 'node:fs';

renameSync('dist/package.source.json', 'package.json');
