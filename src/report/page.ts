import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A page: built by `npm run package`; in the repository, bundled at its first use. */
export interface Page {
  script: string;
  style: string;
}

/** Where each page starts, in `page/`. */
export const PAGES = { report: 'main.tsx', live: 'live.tsx' };

type PageName = keyof typeof PAGES;

const SOURCES = new URL('../../page/', import.meta.url);

export async function pageOf(name: PageName): Promise<Page> {
  const built = new URL(`./${name}-page.json`, import.meta.url);
  if (existsSync(built)) return JSON.parse(readFileSync(built, 'utf8')) as Page;
  return bundlePage(fileURLToPath(new URL(PAGES[name], SOURCES)));
}

/** Bundles a page. esbuild is there in the repository only, and for apps that deploy. */
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

/** The policy under which only a page's very script and style run: all that tasks say is data. */
export function policyOf({ script, style }: Page, ...more: string[]): string {
  return [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
    ...more,
  ].join('; ');
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
