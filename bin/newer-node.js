// Has the `node` package of a project run the command, where the Node that was called is too old.
// The old one stays as its parent, since it can't be replaced: it passes signals on, and ends as the
// command does.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const NEEDED = 24;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Set for the command by its launcher alone. */
const LAUNCHED = 'FANFOLD_LAUNCHED';
export const isLaunched = process.env[LAUNCHED] !== undefined && process.connected === true;
// What the command starts is not launched.
delete process.env[LAUNCHED];

/** How long a signal that the launcher got may take to reach the command too, in milliseconds. */
const SAME_SIGNAL_MS = 100;

/** Runs the command line on a newer Node, or says what is needed. */
export function launch() {
  const needed = `fanfold needs Node ${NEEDED} or later; this is Node ${process.versions.node}.`;
  const found = isLaunched ? undefined : findNode();
  if (found === undefined) {
    refuse(
      `${needed} To install one next to your packages, where fanfold finds it: npm install --save-dev node@${NEEDED}`,
    );
    return;
  }
  if (!existsSync(found)) {
    refuse(
      `${needed} The package \`node\` has no ${found}: its install script has not run. \`npm install-scripts approve node\` allows it (before npm 11, no \`ignore-scripts\`), and \`npm rebuild node\` runs it.`,
    );
    return;
  }
  const [script = '', ...args] = process.argv.slice(1);
  const child = spawn(found, [...process.execArgv, script, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [LAUNCHED]: '1' },
  });
  const pass = (signal) => {
    if (child.connected) child.send({ signal }, () => {});
  };
  for (const name of SIGNALS) process.on(name, pass);
  child.on('error', (error) => {
    refuse(`${needed} The Node at ${found} cannot be started: ${error.message}.`);
  });
  child.on('exit', (code, signal) => {
    for (const name of SIGNALS) process.off(name, pass);
    if (signal === null) process.exit(code);
    process.kill(process.pid, signal);
  });
}

function refuse(sentence) {
  // A path may hold what acts on a terminal.
  console.error(`fanfold: ${sentence.replace(/[\p{Cc}\p{Bidi_Control}]/gu, '?')}`);
  process.exitCode = 2;
}

/** The program of the nearest `node` package that is new enough: beside this one, or from where we are. */
function findNode() {
  for (const start of [dirname(fileURLToPath(import.meta.url)), process.cwd()]) {
    for (let folder = start; ; folder = dirname(folder)) {
      const found = nodeIn(join(folder, 'node_modules/node'));
      if (found !== undefined) return found;
      if (dirname(folder) === folder) break;
    }
  }
  return undefined;
}

function nodeIn(folder) {
  try {
    const { version, bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return Number.parseInt(version, 10) >= NEEDED ? join(folder, bin.node) : undefined;
  } catch {
    // Nothing there, or something of another kind.
    return undefined;
  }
}

/**
 * Does as the launcher is told. Ctrl-C at a terminal, a terminal that is closed and many supervisors
 * signal both processes, and a second signal would cut an orderly end short: so a signal of the
 * launcher's counts here only where it did not come here as well. When the launcher is gone, killed,
 * nobody waits for the command any more, and it ends as if told to.
 */
export function followLauncher() {
  const heard = { SIGINT: 0, SIGTERM: 0, SIGHUP: 0 };
  const passed = { SIGINT: 0, SIGTERM: 0, SIGHUP: 0 };
  for (const name of SIGNALS) {
    const hear = () => {
      heard[name]++;
      if (process.listenerCount(name) > 1) return;
      // Nobody else listens: it is to end the process, as it would without us.
      process.off(name, hear);
      process.kill(process.pid, name);
    };
    process.on(name, hear);
  }
  process.on('message', ({ signal }) => {
    passed[signal]++;
    const look = () => {
      if (heard[signal] < passed[signal]) process.kill(process.pid, signal);
    };
    setTimeout(look, SAME_SIGNAL_MS).unref();
  });
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // To listen is no reason to stay.
  process.channel.unref();
}
