import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SAMPLED } from './package/packed.ts';

const ROOT = join(import.meta.dirname, '..');
const pages = globSync(
  ['*.md', 'docs/*.md', 'docs/decisions/*.md', 'examples/**/*.md', '.github/**/*.md'],
  { cwd: ROOT, exclude: (path) => path.includes('node_modules') },
);

const textOf = (page: string) => readFileSync(join(ROOT, page), 'utf8');
/** Text without code, in which brackets and number signs mean something else. */
const proseOf = (page: string) => textOf(page).replaceAll(/^```.*?^```/gms, '');

/** Anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of proseOf(page).matchAll(/^#{1,6} (.+)$/gm)) {
    const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = text.replaceAll(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-');
    let anchor = slug;
    for (let more = 1; anchors.has(anchor); more++) anchor = `${slug}-${more}`;
    anchors.add(anchor);
  }
  return anchors;
}

function linksOf(page: string): string[] {
  const prose = proseOf(page).replaceAll(/`[^`\n]*`/g, '');
  return Array.from(prose.matchAll(/\]\(([^)\s]+)\)/g), ([, link = '']) => link);
}

/** Why a link leads nowhere; undefined if it leads somewhere, or out of the repository. */
function brokenBy(page: string, link: string): string | undefined {
  if (/^https:/.test(link)) return undefined;
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : normalize(join(dirname(page), path));
  if (target.startsWith('..') || !existsSync(join(ROOT, target))) return 'no such file';
  if (anchor === undefined) return undefined;
  if (!statSync(join(ROOT, target)).isFile()) return 'a folder has no headings';
  return anchorsOf(target).has(anchor) ? undefined : 'no such heading';
}

it('finds the pages', () => {
  expect(pages).toEqual(
    expect.arrayContaining(['README.md', 'docs/compare.md', 'examples/lan/README.md']),
  );
});

describe.each(pages)('%s', (page) => {
  it('has no link that leads nowhere', () => {
    const broken = linksOf(page).flatMap((link) => brokenBy(page, link)?.concat(`: ${link}`) ?? []);
    expect(broken).toEqual([]);
  });
});

it('the navigation of the site has every page', async () => {
  const site: { projectDocuments: string[] } = (await import(join(ROOT, 'typedoc.config.js')))
    .default;
  const docs = pages.filter((page) => dirname(page) === 'docs');
  expect(site.projectDocuments.toSorted()).toEqual(docs.toSorted());
});

// Its name is what makes package/package.test.ts compile a sample.
it('every sample names its file, on a page whose samples are compiled', () => {
  const blocks = pages.flatMap((page) =>
    Array.from(
      textOf(page).matchAll(/^ *```(?:tsx?|typescript|m?[jt]s)\b.*\n(.*)$/gm),
      ([, first]) => ({
        page,
        first,
      }),
    ),
  );
  expect(blocks).not.toEqual([]);
  const isCompiled = ({ page, first = '' }: (typeof blocks)[number]) =>
    SAMPLED.includes(page) && /^\/\/ \S+\.ts\b/.test(first);
  expect(blocks.filter((block) => !isCompiled(block))).toEqual([]);
});

it('the table of the seed’s request has every field', () => {
  const source = textOf('src/pipeline/messages/seed-request.ts');
  const [, list = ''] = /const FIELDS = \[(.*?)\]/s.exec(source) ?? [];
  const fields = Array.from(list.matchAll(/'(\w+)'/g), ([, field]) => field);
  expect(fields).toContain('priority');
  const [, table = ''] =
    /The request to the seed:\n\n(.*?)\n\n/s.exec(textOf('docs/deploy.md')) ?? [];
  expect(fields.filter((field) => !table.includes(`\`${field}\``))).toEqual([]);
});

// examples/recipes is compiled and tested: the page must show that very code.
it('the cookbook shows the files of examples/recipes', () => {
  const recipes = join(ROOT, 'examples/recipes');
  const files = globSync(['{src,infra}/*.ts', '*.sh'], { cwd: recipes }).filter(
    (path) => !/\.test\.ts$|serve-http/.test(path),
  );
  const shown = Array.from(
    textOf('docs/cookbook.md').matchAll(
      /^```(?:ts\n\/\/ (\S+)\n|sh\n(?=.*\n# (\S+)\n))(.*?)^```/gms,
    ),
    ([, code, script, text]) => [code ?? script, text],
  );
  expect(Object.fromEntries(shown)).toEqual(
    Object.fromEntries(files.map((path) => [path, textOf(`examples/recipes/${path}`)])),
  );
});
