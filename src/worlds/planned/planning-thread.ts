// Entry point of the thread that simulates runs, one at a time: a simulation takes over its timers.
import { parentPort } from 'node:worker_threads';
import { messageOf } from '../../errors.ts';
import { type Simulation, simulate } from './simulate.ts';

parentPort?.on('message', async (simulation: Simulation) => {
  try {
    parentPort?.postMessage({ simulated: await simulate(simulation) });
  } catch (error) {
    parentPort?.postMessage({ fault: messageOf(error) });
  }
});
