/** Options that have Node, or a loader of its own, do more with TypeScript than strip types. */
const OPTION = /^--(?:experimental-)?(?:loader|transform-types)(?:=|$)/;

/** Loaders of TypeScript that are given by `--import`. Others may be there to watch the process. */
const LOADER = /(?:^|[/=@])(?:tsx|ts-node|jiti|swc-node|oxc-node|esbuild-register)(?:[/@.]|$)/;

/**
 * The option by which this process was started with a loader of TypeScript, such as
 * `--import tsx`: whoever gives one wants it asked.
 */
export function loaderOption({ execArgv, env }: NodeJS.Process = process): string | undefined {
  const fromEnvironment = (env.NODE_OPTIONS ?? '').replaceAll('"', '').split(/\s+/);
  for (const options of [execArgv, fromEnvironment]) {
    const text = options.join(' ').replaceAll('--import ', '--import=');
    const found = text
      .split(' ')
      .find((each) => OPTION.test(each) || (each.startsWith('--import=') && LOADER.test(each)));
    if (found !== undefined) return found.replace('--import=', '--import ');
  }
  return undefined;
}

/** Whether a file's name is one of TypeScript's, or of JSX's, which bundlers know and Node does not. */
export function isTypeScript(path: string): boolean {
  return /\.([cm]?ts|[jt]sx)$/.test(path);
}
