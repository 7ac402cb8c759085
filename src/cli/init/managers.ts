import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { textOf } from './files.ts';
import { type Entry, valueAt } from './manifest.ts';
import type { PackageManager, Project } from './project.ts';

/** The changes that `fanfold init` makes to a project. */
export interface Changes {
  /** Files that must exist, with their texts: one that exists already stays as it is. */
  files: Map<string, string>;
  /** Keys of package.json that must be set: one that is set already stays as it is. */
  entries: Entry[];
  /** Sentences about what the user has to know or do. */
  notes: string[];
}

/** Commands by which package managers run a program of a package. */
export const PROGRAM = {
  npm: 'npx',
  pnpm: 'pnpm exec',
  yarn: 'yarn run',
  bun: 'bunx',
} as const satisfies Record<PackageManager, string>;

/** Packages that bring their programs by install scripts, which package managers run on demand. */
const SCRIPTED = ['esbuild', 'node'];

/** Adds the settings of the project's package manager that Fanfold needs. */
export function addSettings(changes: Changes, project: Project): void {
  if (project.manager === 'yarn') addLinker(changes, project);
  const added = SCRIPTED.filter((name) =>
    changes.entries.some(([path]) => path[0] === 'devDependencies' && path[1] === name),
  );
  if (added.length > 0) allowScripts(changes, project, added);
}

/** npm 12, pnpm 10 and bun skip the install scripts of packages that the top folder does not name. */
function allowScripts({ files, entries, notes }: Changes, project: Project, added: string[]): void {
  const { folder, root, manager } = project;
  const isTop = root === folder;
  const allowed = Object.fromEntries(added.map((name) => [name, true]));
  if (manager === 'pnpm') {
    const lines = added.map((name) => `  ${name}: true`);
    const text = textOf(root, WORKSPACE);
    if (text === undefined && isTop) {
      files.set(WORKSPACE, `allowBuilds:\n${lines.join('\n')}\n`);
    } else if (lines.some((line) => !text?.includes(line))) {
      const where = relative(folder, join(root, WORKSPACE));
      const list = added.map((name) => `${name}: true`).join(', ');
      notes.push(`Add to ${where}, so that pnpm runs install scripts: allowBuilds: { ${list} }`);
    }
  } else if (manager === 'npm' && isTop) {
    entries.push(...added.map((name): Entry => [['allowScripts', name], true]));
  } else if (manager === 'npm') {
    const where = relative(folder, join(root, 'package.json'));
    notes.push(
      `Add to ${where}, so that npm runs install scripts: "allowScripts": ${JSON.stringify(allowed)}`,
    );
  } else if (manager === 'bun' && isTop) {
    const before = valueAt(project.manifest, ['trustedDependencies']);
    if (before === undefined) entries.push([['trustedDependencies'], added]);
    else notes.push(`Add to "trustedDependencies" of package.json: ${added.join(', ')}`);
  }
}

const WORKSPACE = 'pnpm-workspace.yaml';

/** Yarn 1 refuses packages that need a newer Node than its own. */
export function installOf({ manager, root }: Project, isOlderNode: boolean): string {
  const option = manager === 'yarn' && isOlderNode && isYarn1(root) ? ' --ignore-engines' : '';
  return `${manager} install${option}`;
}

function isYarn1(root: string): boolean {
  const lock = textOf(root, 'yarn.lock') ?? '';
  const { npm_config_user_agent: agent = '' } = process.env;
  return agent.startsWith('yarn/1.') || lock.includes('# yarn lockfile v1');
}

/**
 * Has Yarn install packages into node_modules. Its default since version 2, Plug'n'Play, keeps them in
 * archives, where TypeScript 7 finds no types.
 */
function addLinker({ files, notes }: Changes, { folder, root }: Project): void {
  const settings = textOf(root, '.yarnrc.yml');
  if (isYarn1(root) || /^nodeLinker: *(?!['"]?pnp)/m.test(settings ?? '')) return;
  const line = 'nodeLinker: node-modules';
  const isFree = settings === undefined && root === folder && !existsSync(join(root, '.pnp.cjs'));
  if (isFree) files.set('.yarnrc.yml', `${line}\n`);
  else notes.push(`TypeScript 7 finds no types in Yarn's archives: set "${line}" in .yarnrc.yml.`);
}
