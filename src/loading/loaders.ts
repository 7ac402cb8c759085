/** Options that make Node, or a custom loader, do more with TypeScript than strip types. */
const OPTION = /^--(?:experimental-)?(?:loader|transform-types)(?:=|$)/;

/** TypeScript loaders that are given by `--import`. Other imports may be monitoring tools. */
const LOADER = /(?:^|[/=@])(?:tsx|ts-node|jiti|swc-node|oxc-node|esbuild-register)(?:[/@.]|$)/;

/**
 * The option that started this process with a TypeScript loader, such as `--import tsx`. The user's
 * choice of a loader takes precedence over bundling.
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

/** Whether a file's extension is one of TypeScript or JSX. */
export function isTypeScript(path: string): boolean {
  return /\.([cm]?ts|[jt]sx)$/.test(path);
}
