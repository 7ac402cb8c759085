import { fileURLToPath } from 'node:url';
import type { Benchmark, Figure } from './benchmark.ts';
import { atMost, perSecond, seconds } from './format.ts';
import { measure } from './measure.ts';
import type { SimulatedRun } from './virtual/million.ts';

const MILLION = fileURLToPath(new URL('./virtual/million.ts', import.meta.url));
const TASKS_MS = [100, 0];
const GOAL_SECONDS = 20;

/** Time from the end of a large run's last input until all results are collected. */
export const collectMillion: Benchmark = {
  name: 'collect-million',
  about:
    '1,000,000 inputs on 1,000 workers, half of them burst; one collector at 60 ms a call, with short receives; virtual time',
  long: true,
  async run({ folder, signal }) {
    const figures: Figure[] = [];
    for (const ms of TASKS_MS) {
      const command = { program: process.execPath, args: [MILLION, '--ms', String(ms)] };
      const { stdout } = await measure(command, { cwd: folder, signal });
      figures.push(...figuresOf(`${ms} ms`, JSON.parse(stdout)));
    }
    return figures;
  },
};

function figuresOf(task: string, run: SimulatedRun): Figure[] {
  const { workSeconds, collectedSeconds, resultMessages, receives, deletes } = run;
  const count = (value: number) => value.toLocaleString('en');
  return [
    { what: `${task}: last input's end`, ours: seconds(workSeconds) },
    {
      what: `${task}: collected after that`,
      ours: seconds(collectedSeconds),
      goal: atMost(collectedSeconds, GOAL_SECONDS, seconds),
    },
    { what: `${task}: result messages`, ours: count(resultMessages) },
    { what: `${task}: of them`, ours: perSecond(resultMessages / workSeconds, 'messages') },
    { what: `${task}: receives, deletes`, ours: `${count(receives)}, ${count(deletes)}` },
  ];
}
