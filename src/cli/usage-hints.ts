import type { Command } from 'commander';
import { knownAs, placesOf } from '../internal.ts';

/** Commands by the names that other tools give them. */
const COMMANDS: Readonly<Record<string, string>> = {
  ...{ map: 'fanfold run TASK', exec: 'fanfold run TASK', submit: 'fanfold run TASK' },
  ...{ start: 'fanfold serve, or fanfold run TASK', server: 'fanfold serve', up: 'fanfold serve' },
  ...{ worker: 'fanfold work', workers: 'fanfold work' },
  ...{
    resume: 'fanfold run TASK ... --resume, or fanfold unpause RUN',
    retry: 'fanfold run TASK ... --retry-failed',
  },
  ...{ list: 'fanfold runs, or fanfold tasks', ls: 'fanfold runs, or fanfold tasks' },
  ...{ deploy: 'npx cdk deploy', synth: 'npx cdk synth', destroy: 'npx cdk destroy' },
  ...{ continue: 'fanfold unpause RUN', limit: 'fanfold set RUN', scale: 'fanfold set RUN' },
  ...{ stop: 'fanfold cancel RUN', kill: 'fanfold cancel RUN' },
  ...{ follow: 'fanfold wait RUN', attach: 'fanfold wait RUN' },
  ...{ fetch: 'fanfold results RUN', download: 'fanfold results RUN' },
  new: 'fanfold init',
};

const SHORT: Readonly<Record<string, string>> = {
  ...{ i: 'input', o: 'output', t: 'tasks', w: 'workers', q: 'quiet', p: 'port' },
};

/** Options by the names of the library's options, where the two differ. */
const FLAGS: Readonly<Record<string, string>> = { deadlineSeconds: 'deadline' };

const SOURCES =
  'Inputs are named by --input FILE, --range N or --glob PATTERN; quote a pattern, so that the shell does not expand it.';

/**
 * Adds what the user may have meant to an error of the command line's parser.
 *
 * @param argv the arguments, of which the first is the command
 */
export function withHint(text: string, program: Command, argv: readonly string[]): string {
  const command = program.commands.find((one) => one.name() === argv[0]);
  const [, unknown] = /^unknown command '([^']+)'/.exec(text) ?? [];
  if (unknown !== undefined && Object.hasOwn(COMMANDS, unknown)) {
    return `unknown command '${unknown}' (Did you mean ${COMMANDS[unknown]}?)`;
  }
  const [, option] = /^unknown option '([^'=]+)[^']*'$/.exec(text) ?? [];
  if (option !== undefined && command !== undefined) {
    const hint = optionHint(option, command, program);
    return hint === undefined ? text : `${text} (${hint})`;
  }
  if (/^too many arguments for 'run'/.test(text)) return `${text} ${SOURCES}`;
  return /^missing required argument 'task'/.test(text)
    ? `${text} (fanfold tasks lists them)`
    : text;
}

function optionHint(option: string, command: Command, program: Command): string | undefined {
  const name = option.replace(/^-+/, '');
  const own = command.options.map(({ long }) => long);
  const isOwn = (flag: string) => own.includes(flag);
  const short = `--${SHORT[name]}`;
  if (isOwn(short)) return `Did you mean ${short}?`;
  const known = knownAs(name);
  const flags = known.map(flagOf).filter(isOwn);
  const elsewhere = known.filter((one) => !isOwn(flagOf(one)));
  const others = program.commands.filter(({ options }) =>
    options.some(({ long }) => long === option),
  );
  if (flags.length === 0 && others.length > 0) {
    return `${option} is an option of ${others.map((one) => `fanfold ${one.name()}`).join(', ')}`;
  }
  if (known.length === 0) return undefined;
  const places = elsewhere.length === 0 ? [] : [placesOf(elsewhere)];
  return `Did you mean ${[...flags, ...places].join(', or ')}?`;
}

function flagOf(option: string): string {
  const name = Object.hasOwn(FLAGS, option) ? (FLAGS[option] ?? option) : option;
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
