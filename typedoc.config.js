// `npm run docs`: the site, of the pages in docs/ and the API reference from the doc comments.
// TypeDoc makes both and checks links and anchors, with five direct dependencies; VitePress and
// Starlight have eighteen and more, and no API reference. It runs through npx, so that `npm ci` stays
// small. TypeDoc 0.28 supports TypeScript up to 6.0, so the script gives it one of its own.
import { relative } from 'node:path';
import pkg from './package.json' with { type: 'json' };

/** Pages in the order of the navigation. */
const PAGES = [
  ...['README', 'quickstart', 'cookbook', 'testing', 'failures', 'flow', 'output-formats'],
  ...['serve', 'deploy', 'planning', 'model', 'costs', 'results-in-s3', 'report', 'live-page'],
  ...['events', 'ci', 'sqs'],
  ...['limits', 'troubleshooting', 'migrate', 'compare', 'benchmarks', 'glossary', 'architecture'],
];

/** Titles a page by its heading, up to a colon: GitHub would show front matter as a table. */
function titlePages(app) {
  app.converter.on('resolveBegin', ({ project }) => {
    for (const page of project.documents ?? []) {
      const end = page.content.findIndex(({ text }) => text.includes('\n'));
      const heading = page.content.splice(0, end);
      const [last = '', ...rest] = page.content[0].text.split('\n');
      page.content[0].text = rest.join('\n');
      const line = heading.map(({ text }) => text).join('') + last;
      const [, title] = /^# ([^:]+)/.exec(line) ?? [];
      if (title === undefined) throw new Error(`The page ${page.name} must start with "# ".`);
      page.name = title.replaceAll('`', '');
    }
  });
}

/** Links to files that are no pages, such as examples, where GitHub shows them. */
function linkToRepository(app) {
  app.converter.on('resolveEnd', ({ project }) => {
    const texts = [
      project.readme ?? [],
      ...(project.documents ?? []).map(({ content }) => content),
    ];
    for (const part of texts.flat()) {
      if (part.kind !== 'relative-link' || part.target === undefined) continue;
      const file = project.files.resolve(part.target, project);
      if (typeof file !== 'string') continue;
      part.kind = 'text';
      part.text = `${pkg.homepage.replace(/#.*/, '')}/blob/main/${relative(import.meta.dirname, file)}`;
    }
  });
}

/** Makes code in headings text: TypeDoc would leave it out of anchors, which GitHub does not. */
function keepCodeInAnchors(parser) {
  parser.core.ruler.push('code-in-anchors', ({ tokens }) => {
    for (const [at, { type }] of tokens.entries()) {
      if (type !== 'heading_open') continue;
      for (const part of tokens[at + 1].children) {
        if (part.type === 'code_inline') part.type = 'text';
      }
    }
  });
}

export default {
  name: 'Fanfold',
  readme: 'README.md',
  projectDocuments: PAGES.map((page) => `docs/${page}.md`),
  entryPoints: Object.values(pkg.exports)
    .map((target) => target.default)
    .filter((path) => path.endsWith('.ts')),
  sortEntryPoints: false,
  tsconfig: 'tsconfig.build.json',
  out: 'docs/site',
  plugin: [titlePages, linkToRepository],
  markdownItLoader: keepCodeInAnchors,
  excludePrivate: true,
  treatWarningsAsErrors: true,
  // Types that only appear in signatures are written out there.
  validation: { notExported: false },
};
