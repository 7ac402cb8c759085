// What the command does on an older Node than Fanfold's: it continues on the one that the project has
// as its package `node`. `fanfold init`, which adds that package, gets one through npx.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const args = process.argv.slice(2);

/** @param {string} bin @param {number} needed */
export async function runOnNewerNode(bin, needed) {
  const folders = [process.cwd(), dirname(bin)];
  for (const folder of folders) {
    const { file, major } = nodeAbove(folder) ?? {};
    if (file !== undefined && major >= needed && existsSync(file)) {
      process.exitCode = await statusOf(file, [bin, ...args]);
      return;
    }
  }
  const tells = `fanfold: Node ${needed} or later is needed; this is ${process.versions.node}.`;
  if (args[0] !== 'init') {
    console.error(`${tells} ${remedy(needed)}`);
    process.exitCode = 2;
    return;
  }
  // npx asks before it downloads. The environment names the packages of the npx that runs this.
  const { npm_execpath: npm = '', npm_config_package, npm_config_call, ...env } = process.env;
  if (npm.endsWith('npm-cli.js')) {
    console.error(`${tells} npx brings it for this command, and the project gets it, too.`);
    const line = [npm, 'exec', `--package=node@${needed}`, '--', 'node', bin, ...args];
    process.exitCode = await statusOf(process.execPath, line, env);
    if (process.exitCode !== 1) return;
  }
  const command = `npx -p node@${needed} -p ${sourceOf(bin)} fanfold ${args.join(' ')}`;
  console.error(`${tells} Run: ${command}`);
  process.exitCode = 2;
}

/** The program of the nearest package `node`. @param {string} folder */
function nodeAbove(folder) {
  for (let each = resolve(folder); ; each = dirname(each)) {
    const own = join(each, 'node_modules/node');
    if (existsSync(join(own, 'package.json'))) {
      const { version } = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8'));
      const name = process.platform === 'win32' ? 'node.exe' : 'node';
      return { file: join(own, 'bin', name), major: Number.parseInt(version, 10) };
    }
    if (dirname(each) === each) return undefined;
  }
}

/**
 * Runs a program in this one's place. A terminal sends its signals to both.
 * @param {string} program @param {string[]} line
 */
function statusOf(program, line, env = process.env) {
  const child = spawn(program, line, { stdio: 'inherit', env });
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((settle, fail) => {
    child.on('error', fail);
    child.on('exit', (code, signal) => settle(code ?? 128 + constants.signals[signal]));
  });
}

/** @param {number} needed */
function remedy(needed) {
  const { file, major } = nodeAbove(process.cwd()) ?? {};
  if (file !== undefined && major >= needed) {
    return `${file} is missing, since the install script of the package \`node\` has not run: allow it, and \`npm rebuild node\`.`;
  }
  const [manager] = (process.env.npm_config_user_agent ?? 'npm').split('/');
  const add = manager === 'npm' ? 'npm install --save-dev' : `${manager} add -D`;
  return `After \`${add} node@${needed}\` in the project, this command runs on that one.`;
}

/** The version or tarball by which npx has this copy. @param {string} bin */
function sourceOf(bin) {
  const installer = join(dirname(bin), '../../..');
  const manifest = join(installer, 'package.json');
  const { dependencies = {} } = existsSync(manifest)
    ? JSON.parse(readFileSync(manifest, 'utf8'))
    : {};
  const wanted = String(dependencies.fanfold ?? '');
  return wanted.startsWith('file:') ? resolve(installer, wanted.slice('file:'.length)) : 'fanfold';
}
