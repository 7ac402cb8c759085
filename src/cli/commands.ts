import type { Command } from 'commander';

/** A file that adds commands, and what the help lists of each: its name, usage and description. */
interface Source {
  /** Loads the file: few commands need what another one needs. */
  add: () => Promise<(program: Command) => void>;
  commands: readonly (readonly [name: string, usage: string, description: string])[];
}

/** All commands, in the order of the help. */
const SOURCES: readonly Source[] = [
  {
    add: async () => (await import('./init.ts')).addInit,
    commands: [
      [
        'init',
        '[options]',
        'start here: add a task, sample inputs, a test and scripts to this folder',
      ],
    ],
  },
  {
    add: async () => (await import('./run.ts')).addRun,
    commands: [
      ['run', '[options] <task>', 'map a task over inputs and write the results as JSON lines'],
    ],
  },
  {
    add: async () => (await import('./plan.ts')).addPlan,
    commands: [
      [
        'plan',
        '[options] <task>',
        'predict a run: counts its inputs, really runs a random sample of them',
      ],
    ],
  },
  {
    add: async () => (await import('./serve.ts')).addServe,
    commands: [
      [
        'serve',
        '[options]',
        'serve SQS and Lambda on a port, for runs and workers on this and other machines',
      ],
    ],
  },
  {
    add: async () => (await import('./work.ts')).addWork,
    commands: [
      [
        'work',
        '[options]',
        'receive chunks from a `fanfold serve` or a stack, and run them in worker processes on this machine',
      ],
    ],
  },
  {
    add: async () => (await import('./tasks.ts')).addTasks,
    commands: [['tasks', '[options]', 'list the tasks that can be run']],
  },
  {
    add: async () => (await import('./logs.ts')).addLogs,
    commands: [
      [
        'logs',
        '[options] <run> <index>',
        'show the log lines of one input, those of all its attempts',
      ],
    ],
  },
  {
    add: async () => (await import('./runs.ts')).addRuns,
    commands: [
      ['runs', '[options]', 'list unfinished runs, oldest first'],
      ['status', '[options] <run>', 'show the progress of a run'],
    ],
  },
  {
    add: async () => (await import('./wait.ts')).addWait,
    commands: [
      ['wait', '[options] <run>', 'wait for the end of a run; the exit status is as that of run'],
    ],
  },
  {
    add: async () => (await import('./results.ts')).addResults,
    commands: [['results', '[options] <run>', 'fetch the results of a run from S3, as JSON lines']],
  },
  {
    add: async () => (await import('./report.ts')).addReport,
    commands: [
      [
        'report',
        '[options] <results>',
        'make a report of an earlier run: one HTML file that needs no network',
      ],
    ],
  },
  {
    add: async () => (await import('./collect.ts')).addCollect,
    commands: [
      ['collect', '[options] <run>', 'collect the results of a run that another command started'],
    ],
  },
  {
    add: async () => (await import('./cancel.ts')).addCancel,
    commands: [
      ['cancel', '[options] <run>', 'cancel a run: inputs without a result end as cancelled'],
    ],
  },
  {
    add: async () => (await import('./set.ts')).addSet,
    commands: [
      ['set', '[options] <run>', 'change the bounds of a run while it goes on'],
      ['pause', '[options] <run>', 'start no further input of a run until `fanfold unpause`'],
      ['unpause', '[options] <run>', 'let a paused run go on'],
    ],
  },
  {
    add: async () => (await import('./redrive.ts')).addRedrive,
    commands: [
      [
        'redrive',
        '[options]',
        'move task messages from the dead-letter queue back to the task queue',
      ],
    ],
  },
  {
    add: async () => (await import('./doctor.ts')).addDoctor,
    commands: [
      ['doctor', '[options]', 'check for problems before and after a deployment; changes nothing'],
    ],
  },
  {
    add: async () => (await import('./sqs.ts')).addSqs,
    commands: [
      [
        'sqs',
        '[options]',
        'serve only SQS on a port, as a server for tests: no Docker, no AWS account',
      ],
    ],
  },
  {
    add: async () => (await import('./ui.ts')).addUi,
    commands: [
      [
        'ui',
        '[options]',
        'serve a live page of the runs of a stack or server, on this machine only',
      ],
    ],
  },
];

/**
 * Adds the commands: those of the file that has the named one, as they are, and only the names and
 * descriptions of all others.
 *
 * @param onOther called when one of the others would run
 */
export async function addNamed(
  program: Command,
  named: string | undefined,
  onOther: () => never,
): Promise<void> {
  for (const { add, commands } of SOURCES) {
    if (commands.some(([name]) => name === named)) {
      (await add())(program);
      continue;
    }
    for (const [name, usage, description] of commands) {
      program.command(name).usage(usage).description(description).action(onOther);
    }
  }
}

/** Adds all commands. */
export async function addAll(program: Command): Promise<void> {
  for (const { add } of SOURCES) (await add())(program);
}
