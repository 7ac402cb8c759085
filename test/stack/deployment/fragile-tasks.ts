// A tasks module whose loading its environment controls, and which records each load.
import { appendFileSync, existsSync } from 'node:fs';
import { defineTask } from '../../../src/index.ts';

const { LOADS, BROKEN, LOAD_MS = '0', AWS_LAMBDA_FUNCTION_NAME: name } = process.env;

if (LOADS) appendFileSync(LOADS, `${name}\n`);
if (BROKEN && existsSync(BROKEN)) throw new RangeError('the module is out of order');
await new Promise((resolve) => setTimeout(resolve, Number(LOAD_MS)));

export const twice = defineTask({ name: 'twice', run: (input: number) => input * 2 });
