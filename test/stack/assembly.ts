import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

const APP = resolve('cdk/app.ts');
export const PROGRAMS = resolve('node_modules/.bin');

export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program in the environment of a machine without an AWS account and without Docker. */
export function run(
  command: string[],
  { cwd = process.cwd(), env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Ended> {
  const ours = Object.entries(process.env).filter(
    ([key]) => !/^(AWS|CDK)_|^NODE_OPTIONS$|^CI$/.test(key),
  );
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    cwd,
    env: {
      ...Object.fromEntries(ours),
      PATH: [PROGRAMS, process.env.PATH].join(delimiter),
      CDK_DOCKER: 'no-docker',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended: Ended = { status: null, stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      ended[name] += text;
    });
  }
  return new Promise((settle, fail) => {
    child.on('error', fail).on('close', (status) => settle({ ...ended, status }));
  });
}

/** Leaves out the CDK's own rules, which take half of the time of a synthesis. */
export const UNCHECKED = { CDK_VALIDATION: 'false' };

/**
 * Runs the app directly in a project, without the CDK's command line.
 *
 * @param env `{}` to apply the CDK's own rules, too
 */
export function synthesize(
  project: string,
  output: string,
  context: object,
  env: Record<string, string> = UNCHECKED,
): Promise<Ended> {
  return run(['node', APP], {
    cwd: project,
    env: { ...env, CDK_OUTDIR: output, CDK_CONTEXT_JSON: JSON.stringify(context) },
  });
}

/** The folder of a function's code, as the template names it. */
export function assetOf(output: string, stack: string, functionName: string): string {
  const { Resources } = JSON.parse(readFileSync(join(output, `${stack}.template.json`), 'utf8'));
  type Found = { Properties?: { FunctionName?: string; Code: { S3Key: string } } };
  const found = (Object.values(Resources) as Found[]).find(
    ({ Properties }) => Properties?.FunctionName === functionName,
  )?.Properties;
  if (!found) throw new Error(`${functionName} was expected in the template of ${stack}`);
  return join(output, `asset.${found.Code.S3Key.replace(/\.zip$/, '')}`);
}
