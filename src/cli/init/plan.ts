import { posix, relative } from 'node:path';
import { shellWord } from '../../inputs/printable.ts';
import { textOf } from './files.ts';
import { addSettings, type Changes, installOf, PROGRAM } from './managers.ts';
import { valueAt } from './manifest.ts';
import { ownSource, tooOld, VERSIONS } from './packages.ts';
import type { Project } from './project.ts';
import * as templates from './templates.ts';
import type { TsConfig } from './tsconfig.ts';

/** The changes to a project, and what follows. */
export interface Plan extends Changes {
  /** Commands to run next. */
  next: [string, string, string];
}

/** Extensions of modules that can be a tasks module. */
const EXTENSIONS = ['ts', 'mts', 'js', 'mjs', 'cts', 'cjs'];

/** The test script of `npm init`, which only fails. */
export const PLACEHOLDER = 'echo "Error: no test specified" && exit 1';

/** The project's tasks module, and the files of the sample beside it. */
interface Room {
  tasks: string;
  inputs: string;
  /** True if the tasks module is the sample's, and not one of the user's own. */
  isSample: boolean;
}

export function planFor(project: Project, { cdk }: { cdk: boolean }): Plan {
  const { manager, tsconfig } = project;
  const room = roomOf(project);
  const own = ownConfigOf(project, room);
  const test = testOf(project, room.tasks, own !== undefined);
  const program = PROGRAM[manager];
  const install = installOf(project, isOlderNode());
  const plan: Plan = {
    files: new Map(),
    entries: [
      [['fanfold', 'tasks'], room.tasks],
      [['scripts', 'fanfold'], 'fanfold'],
    ],
    notes: tooOld([project.folder, project.root], project.packages),
    next: [install, `${program} fanfold tasks`, `${program} fanfold run --help`],
  };
  addPackages(plan, project, ['fanfold']);
  if (isOlderNode()) addPackages(plan, project, ['node']);
  if (room.isSample) {
    plan.files.set(room.tasks, templates.TASKS);
    plan.files.set(test.path, test.text);
    plan.files.set(room.inputs, templates.INPUTS);
    plan.entries.push([['scripts', test.script], test.command]);
    addPackages(plan, project, ['zod']);
    // Bun has another test runner of that name.
    const script = test.script === 'test' && manager !== 'bun' ? 'test' : `run ${test.script}`;
    const run = `${runOf(room)} --output results.jsonl`;
    plan.next = [install, `${manager} ${script}`, `${program} ${run}`];
  }
  if (tsconfig === undefined) plan.files.set('tsconfig.json', templates.TSCONFIG);
  if (own !== undefined) plan.files.set(own, templates.TSCONFIG);
  if (tsconfig === undefined || /\.m?ts$/.test(test.path)) addPackages(plan, project, TYPES);
  addIgnored(plan, project, cdk);
  if (cdk) addApp(plan, project, room, own);
  if (tsconfig !== undefined) addCompiler(plan, project, tsconfig, own);
  addSettings(plan, project);
  return plan;
}

const TYPES = ['@types/node', 'typescript'] as const;

/**
 * Finds the tasks module. The sample gets a folder of its own if a file of the user's has the name
 * of one of its files.
 */
function roomOf(project: Project): Room {
  const { folder, tasks } = project;
  const extension = extensionOf(project);
  if (tasks !== undefined) return sampleAt(folder, tasks);
  const own = EXTENSIONS.map((each) => `src/tasks.${each}`).find((path) =>
    /\bdefineTask\b/.test(textOf(folder, path) ?? ''),
  );
  if (own !== undefined) return sampleAt(folder, own);
  if (project.tsconfig?.readsExports === false) {
    return sampleAt(folder, `${OWN_FOLDER}/tasks.${extension}`);
  }
  const room = sampleAt(folder, `src/tasks.${extension}`);
  const isFree =
    room.isSample && [undefined, templates.INPUTS].includes(textOf(folder, room.inputs));
  return isFree ? room : sampleAt(folder, `src/fanfold/tasks.${extension}`);
}

/** Folder of the sample where the project's own compiler settings do not suit it. */
const OWN_FOLDER = 'fanfold';

/** Path of a tsconfig.json for the sample alone, if it needs one. */
function ownConfigOf({ tsconfig }: Project, { tasks, isSample }: Room): string | undefined {
  const isApart = isSample && posix.dirname(tasks) === OWN_FOLDER;
  return isApart && tsconfig?.readsExports === false ? `${OWN_FOLDER}/tsconfig.json` : undefined;
}

function sampleAt(folder: string, path: string): Room {
  const tasks = posix.normalize(path);
  const room = posix.dirname(tasks);
  const inputs = room === 'src' ? 'orders.csv' : `${room}/orders.csv`;
  const canBeOurs = /^(?![./]).*\.m?[jt]s$/.test(tasks);
  const isOurs = [undefined, templates.TASKS].includes(textOf(folder, tasks));
  return { tasks, inputs, isSample: canBeOurs && isOurs };
}

/** Extension of ES modules in TypeScript. A project's `"type"` decides about `.ts`. */
function extensionOf({ isModule }: Project): string {
  return isModule ? 'ts' : 'mts';
}

/** The sample's test, and the script that runs it. */
function testOf({ manifest, tsconfig }: Project, tasks: string, hasOwnConfig: boolean) {
  const { dir, name, ext } = posix.parse(tasks);
  // tsc refuses to import tasks by their name in Node where it writes JavaScript, so there the test
  // is JavaScript, which it leaves out.
  const isChecked = hasOwnConfig || tsconfig === undefined || tsconfig.importsTypeScript;
  const extension = isChecked ? ext : ext.replace('t', 'j');
  const runs = valueAt(manifest, ['scripts', 'test']);
  const glob = `node --test "src/**/*.test${extension}"`;
  const isOurs = runs === undefined || runs === PLACEHOLDER || runs === glob;
  const runner = /\bvitest\b/.test(String(runs)) ? 'vitest' : 'node';
  // Other test runners fail at a file that has none of their tests: they must not find it.
  const isFound = isOurs || runner === 'vitest' || /\bnode\b.* --test\b/.test(String(runs));
  const path = posix.join(dir, `${name}.${isFound ? 'test' : 'node-test'}${extension}`);
  const isAll = isOurs && path.startsWith('src/');
  const command = `${runner === 'vitest' ? 'vitest run' : 'node --test'} ${shellWord(path)}`;
  return {
    path,
    text: templates.testOf(runner, `${name}${ext}`),
    script: isAll ? 'test' : 'test:fanfold',
    command: isAll ? glob : command,
  };
}

/** True if npm runs on a Node older than Fanfold's. The package `node` brings a newer one. */
function isOlderNode(): boolean {
  const { npm_config_user_agent: agent = '' } = process.env;
  const [, major = process.versions.node] = /\bnode\/v(\d+)/.exec(agent) ?? [];
  return Number.parseInt(major, 10) < 24;
}

function addPackages(
  { entries, notes }: Plan,
  { folder, packages }: Project,
  names: readonly ('fanfold' | keyof typeof VERSIONS)[],
): void {
  for (const name of names) {
    if (packages.has(name)) continue;
    const isRuntime = name === 'fanfold' || name === 'zod';
    const field = isRuntime ? 'dependencies' : 'devDependencies';
    if (name !== 'fanfold') {
      entries.push([[field, name], VERSIONS[name]]);
    } else {
      const { wanted, missing } = ownSource(folder);
      entries.push([[field, name], wanted]);
      if (missing === undefined) continue;
      notes.push(`Make ${missing.tarball} first: run "npm run package" in ${missing.clone}.`);
    }
  }
}

function addIgnored({ files, notes }: Plan, project: Project, cdk: boolean): void {
  const { folder, repository = folder } = project;
  const lines = ['node_modules', 'results.jsonl*', 'cdk.out'];
  const texts = [folder, project.root, repository].map((each) => textOf(each, '.gitignore'));
  if (texts.every((text) => text === undefined)) {
    files.set('.gitignore', `${lines.join('\n')}\n`);
    return;
  }
  const text = texts.join('\n');
  const missing = lines.filter((line) => !text.includes(line) && (cdk || line !== 'cdk.out'));
  if (missing.length > 0) notes.push(`Add to .gitignore: ${missing.join(', ')}`);
}

/** Adds a CDK app, beside the one that is there. */
function addApp(plan: Plan, project: Project, room: Room, own: string | undefined): void {
  const { folder, manager, packages } = project;
  const { tasks, isSample } = room;
  const path = `${own === undefined ? 'infra' : OWN_FOLDER}/app.${extensionOf(project)}`;
  const stack = stackOf(project);
  const text = templates.appOf(stack, tasks);
  const hasNode = packages.has('node') || isOlderNode();
  const app = `${hasNode ? 'npx ' : ''}node ${path}`;
  const cdkJson = templates.cdkJsonOf(app);
  plan.files.set(path, text);
  plan.files.set('cdk.json', cdkJson);
  addPackages(plan, project, ['aws-cdk', 'aws-cdk-lib', 'constructs', 'esbuild']);
  const program = PROGRAM[manager];
  const isTheirs = ![undefined, cdkJson].includes(textOf(folder, 'cdk.json'));
  const option = isTheirs ? ` --app "${app}"` : '';
  plan.next[2] = `${program} cdk synth --quiet${option}`;
  if (isTheirs || ![undefined, text].includes(textOf(folder, path))) {
    const line = templates.constructOf(tasks);
    plan.notes.push(
      `To have Fanfold in a stack of your own app, add to it: import { Fanfold } from 'fanfold/cdk'; and ${line.replace('stack', 'this')}`,
    );
  }
  const run = isSample ? `, then ${program} ${runOf(room)} --stack ${stack}` : '';
  plan.notes.push(
    `To deploy: ${program} cdk bootstrap (once), ${program} cdk deploy${option}${run}`,
  );
}

/** Says what the project's own compiler settings lack. */
function addCompiler(
  { files, notes }: Plan,
  { folder, manager }: Project,
  tsconfig: TsConfig,
  own: string | undefined,
): void {
  const where = relative(folder, tsconfig.path);
  if (!tsconfig.readsExports) {
    const check =
      own && ` The tasks have their own: check them with ${PROGRAM[manager]} tsc -p ${own}.`;
    notes.push(
      `With ${where}, TypeScript finds no types of fanfold, since it ignores "exports" of packages.${check ?? ''} To import fanfold in other files, set "module": "nodenext" in it.`,
    );
  }
  const apart = ['infra', OWN_FOLDER].filter((name) =>
    Array.from(files.keys()).some((path) => path.startsWith(`${name}/`)),
  );
  const isTaken = tsconfig.takesAll && (tsconfig.emits || !tsconfig.readsExports);
  const missing = apart.filter((name) => isTaken && !tsconfig.excluded.includes(name));
  if (missing.length > 0) {
    const list = JSON.stringify([...tsconfig.excluded, ...missing]);
    notes.push(`${where} takes all files: add "exclude": ${list} to it.`);
  }
}

function runOf({ inputs }: Room): string {
  return `fanfold run ${templates.SAMPLE} --input ${shellWord(inputs)}`;
}

/** A name for the stack, from the project's: letters and digits, at most 40. */
function stackOf({ manifest }: Project): string {
  const name = String(valueAt(manifest, ['name']) ?? '').replace(/^@.*\//, '');
  const words = name
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return words.join('').replace(/^\d+/, '').slice(0, 40) || 'Fanfold';
}
