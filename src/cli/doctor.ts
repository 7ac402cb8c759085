import type { Command } from 'commander';
import { type Diagnosis, diagnose, type Level, VERSION } from '../index.ts';
import { STATUS } from './exit.ts';
import { print, printBadged, printJson } from './log.ts';
import { wholeNumber } from './serve.ts';
import { findTasksModule } from './tasks-module.ts';

interface DoctorFlags {
  stack?: string;
  maxConcurrency?: string;
  tasks?: string;
  json?: boolean;
}

/** `fanfold doctor`: checks for problems before and after a deployment. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check for problems before and after a deployment; changes nothing')
    .option('--stack <name>', 'the stack to check, deployed or not (default: the account only)')
    .option(
      '--max-concurrency <n>',
      'maximum concurrency planned for a stack that is not deployed yet (default: 100)',
    )
    .option('--tasks <module>', 'the tasks module to compare with the deployed tasks')
    .option('--json', 'print the findings as JSON')
    .action(doctor);
}

async function doctor({ stack, maxConcurrency, tasks, json }: DoctorFlags): Promise<void> {
  const module = findTasksModule(tasks);
  const found = await diagnose({
    stack,
    maxConcurrency: wholeNumber('--max-concurrency', maxConcurrency, 1000, 2),
    // The built-in tasks are compared only if the user names them.
    tasks: module.shipped && tasks === undefined ? undefined : module.path,
  });
  if (json) printJson({ fanfold: VERSION, ...found });
  else printFindings(found);
  const hurts = found.findings.some(({ level }) => level === 'problem');
  process.exitCode = hurts ? STATUS.failed : STATUS.ok;
}

const STYLE = { ok: 'green', warning: 'yellow', problem: 'red', unknown: 'cyan' } as const;
const LEVEL_WIDTH = 'warning'.length;

function printFindings({ stack, state, region, account, findings }: Diagnosis): void {
  const whose = stack === undefined ? 'the account' : `stack ${stack}`;
  const where = account === undefined ? 'no call to AWS was made' : `account ${account}, ${region}`;
  const there = stack === undefined || state === 'none' ? '' : `, ${STATE[state]}`;
  print(`fanfold ${VERSION}: ${whose}${there} (${where})`);
  const width = Math.max(...findings.map(({ title }) => title.length));
  const indent = ' '.repeat(LEVEL_WIDTH + width + 4);
  for (const { level, title, says, remedy } of findings) {
    printBadged(STYLE[level], level.padEnd(LEVEL_WIDTH), `  ${title.padEnd(width)}  ${says}`);
    if (remedy !== undefined) print(`${indent}${remedy}`);
  }
  print(summaryOf(findings.map(({ level }) => level)));
}

const STATE = { before: 'not deployed yet', deployed: 'deployed' } as const;

function summaryOf(levels: readonly Level[]): string {
  const count = (level: Level) => levels.filter((one) => one === level).length;
  return `problems: ${count('problem')}, warnings: ${count('warning')}, unknown: ${count('unknown')}, ok: ${count('ok')}`;
}
