import '../../src/node-version.ts';

export { echo } from './echo.ts';
export { sha256 } from './sha256.ts';
export { sleep } from './sleep.ts';
