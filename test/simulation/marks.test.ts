// @module-tag more
import { expect, it } from 'vitest';
import { FAULT_NAMES } from './faults.ts';
import { simulation } from './simulation.ts';

/** Rare events that must nevertheless have happened. */
const RARE = [
  'chunk shown again',
  'chunk of an ended run dropped',
  'chunk sent on: cut, or not begun',
  'chunk sent on: its run seems to be over',
  'claim refused',
  'duplicate result dropped',
  'ended as InvalidInput',
  'ended as Lost',
  'ended as OutputNotJson',
  'ended as OutputTooLarge',
  'ended as TaskFailed',
  'ended as TimedOut',
  'ended as WorkerDied',
  'ended cancelled',
  'ended ok',
  'further attempt sent',
  'input announced',
  'rest of a slice sent back',
  'run begun anew',
  'run cancelled',
  'run resumed',
  'task message came again',
  'tasks module not loaded',
  ...FAULT_NAMES.map((fault) => `fault: ${fault}`),
];

it('every fault happens, and every rare branch is taken, in what CI simulates', async () => {
  const { text, failed } = await simulation(['--seed', 1, '--runs', 250]);
  expect(failed, text).toBe(false);
  const missing = RARE.filter((mark) => !new RegExp(`^  ${mark} +[1-9]`, 'm').test(text));
  expect(missing, text).toEqual([]);
}, 400_000);

it('bounds hold while they change, under all faults', async () => {
  const { text, failed } = await simulation(['--bounds', '--seed', 1, '--runs', 30]);
  expect(failed, text).toBe(false);
  for (const mark of ['run changed', 'run paused']) {
    expect(text).toMatch(new RegExp(`^  ${mark} +[1-9]`, 'm'));
  }
}, 400_000);

it('stored runs have each result once, whatever happens to their collectors', async () => {
  const { text, failed } = await simulation(['--stored', '--seed', 1, '--runs', 40]);
  expect(failed, text).toBe(false);
  const ends = ['over', 'continues', 'superseded', 'restarted'];
  for (const mark of [...ends.map((end) => `collector: ${end}`), 'stored run has parts']) {
    expect(text).toMatch(new RegExp(`^  ${mark} +[1-9]`, 'm'));
  }
}, 400_000);
