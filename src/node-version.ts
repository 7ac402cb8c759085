// Must be the first import of an entry point: modules after it fail on an older Node with errors
// that do not name the cause, such as "Promise.withResolvers is not a function".
import { FanfoldError } from './errors.ts';

const NEEDED = 24;
const { node } = process.versions;

if (Number.parseInt(node, 10) < NEEDED) {
  throw new FanfoldError(
    'RunFailed',
    `Fanfold needs Node ${NEEDED} or later; this is ${node}. After \`npm install --save-dev node@${NEEDED}\`, npm scripts and npx run on that one.`,
  );
}
