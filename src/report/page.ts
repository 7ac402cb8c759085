import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The report's page: built by `npm run package`; in the repository, bundled at its first use. */
export interface Page {
  script: string;
  style: string;
}

const BUILT = new URL('./page.json', import.meta.url);

export async function pageOf(): Promise<Page> {
  if (existsSync(BUILT)) return JSON.parse(readFileSync(BUILT, 'utf8')) as Page;
  return bundlePage(fileURLToPath(new URL('../../page/main.tsx', import.meta.url)));
}

/** Bundles the page. esbuild is there in the repository only, and for apps that deploy. */
export async function bundlePage(entry: string): Promise<Page> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    ...{ entryPoints: [entry], bundle: true, minify: true, write: false, outdir: 'page' },
    ...{ format: 'iife', target: 'es2022', jsx: 'automatic', jsxImportSource: 'preact' },
    legalComments: 'none',
  });
  const textOf = (end: string) => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? '';
  return { script: textOf('.js'), style: textOf('.css') };
}
