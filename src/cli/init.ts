import { spawnSync } from 'node:child_process';
import type { Command } from 'commander';
import { shellWord } from '../inputs/printable.ts';
import { checkWritable, textOf, write } from './init/files.ts';
import { type Entry, valueAt, withEntries } from './init/manifest.ts';
import { PLACEHOLDER, type Plan, planFor } from './init/plan.ts';
import { type Project, projectIn } from './init/project.ts';
import { print } from './log.ts';

interface InitFlags {
  cdk?: boolean;
  dryRun?: boolean;
}

/** `fanfold init`: adds a task, its test, inputs and scripts to a project. */
export function addInit(program: Command): void {
  program
    .command('init')
    .description('start here: add a task, sample inputs, a test and scripts to this folder')
    .option('--cdk', 'add a CDK app as well, which deploys the tasks to AWS')
    .option('--dry-run', 'print what would be done, and write nothing')
    .action(({ cdk = false, dryRun = false }: InitFlags) => init(process.cwd(), cdk, dryRun));
}

function init(folder: string, cdk: boolean, dryRun: boolean): void {
  const project = projectIn(folder);
  const plan = planFor(project, { cdk });
  const created = [...plan.files.keys()].filter((path) => textOf(folder, path) === undefined);
  const added = plan.entries.filter((entry) => isToAdd(project, entry));
  const changed = added.length > 0 && !project.isNew;
  if (project.isNew) created.push('package.json');
  for (const path of changed ? [...created, 'package.json'] : created) checkWritable(folder, path);
  const undo = undoOf(project, created, changed);
  if (!dryRun) {
    // package.json is the last, since it says that the project has a tasks module.
    const manifest = withEntries(project.manifest.text, added);
    for (const path of created) write(folder, path, plan.files.get(path) ?? manifest, 'wx');
    if (changed) write(folder, 'package.json', manifest, 'w');
  }
  for (const path of created) tell(dryRun ? 'would create' : 'created', path);
  if (changed) tell(dryRun ? 'would change' : 'changed', 'package.json:');
  if (changed) for (const entry of added) tell('', changeOf(project, entry));
  if (created.length === 0 && !changed) print('Nothing to add: all of it is there.');
  for (const line of leftAlone(project, plan)) tell('left as it is', line);
  for (const note of plan.notes) print(note);
  if (undo !== undefined) print(undo);
  print('Next:');
  for (const command of plan.next) print(`  ${command}`);
}

/** True if a key of package.json must be set. The test script of `npm init` counts as missing. */
function isToAdd({ manifest }: Project, [path]: Entry): boolean {
  return [undefined, PLACEHOLDER].includes(valueAt(manifest, path) as string | undefined);
}

function tell(what: string, where: string): void {
  print(`${what.padEnd('left as it is'.length)}  ${where}`);
}

function changeOf({ manifest }: Project, [path, value]: Entry): string {
  const before = valueAt(manifest, path);
  const instead = before === undefined ? '' : `, instead of npm's ${JSON.stringify(before)}`;
  return `${path.join('.')}: ${JSON.stringify(value)}${instead}`;
}

/** Files and keys that are there, and differ from what would have been written. */
function leftAlone({ folder, manifest }: Project, { files, entries }: Plan): string[] {
  const others = [...files].filter(([path, text]) => (textOf(folder, path) ?? text) !== text);
  const keys = entries.filter(([path, value]) => {
    const before = valueAt(manifest, path);
    return before !== undefined && before !== PLACEHOLDER && before !== value;
  });
  return [
    ...others.map(([path]) => path),
    ...keys.map(
      ([path, value]) => `package.json: ${path.join('.')} (not ${JSON.stringify(value)})`,
    ),
  ];
}

/** Says how git undoes the changes. It restores only what it has. */
function undoOf({ folder, manifest, repository }: Project, created: string[], changed: boolean) {
  if (repository === undefined || (created.length === 0 && !changed)) return undefined;
  const clean = `git clean -fqx -- ${created.map(shellWord).join(' ')}`;
  if (!changed) return `To undo: ${clean}`;
  const { stdout } = spawnSync('git', ['show', ':./package.json'], {
    cwd: folder,
    encoding: 'utf8',
  });
  const commands = ['git restore package.json', ...(created.length > 0 ? [clean] : [])];
  if (stdout === manifest.text) return `To undo: ${commands.join(' && ')}`;
  return `package.json had changes that git does not have: to undo, take out the keys above, and run: ${clean}`;
}
