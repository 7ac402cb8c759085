import { load } from 'cheerio';
import { connect, defineTask, type Fanfold } from 'fanfold';

export const page = defineTask({
  name: 'page',
  concurrency: 4,
  timeoutSeconds: 15,
  async run(url: string, { signal }) {
    const response = await fetch(url, { signal, headers: { 'user-agent': 'example-crawler' } });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    const $ = load(await response.text());
    const links = $('a[href]').map((_, { attribs }) => URL.parse(attribs.href ?? '', response.url));
    const here = links.get().filter(({ origin }) => origin === new URL(url).origin);
    const paths = here.map(({ origin, pathname, search }) => origin + pathname + search);
    return { url, title: $('title').text(), links: [...new Set(paths)] };
  },
});

/** Yields pages, level by level: the links of one level are the inputs of the next. */
export async function* crawl(fanfold: Fanfold, first: string[], levels: number) {
  const seen = new Set(first);
  for (let level = first; level.length > 0 && levels > 0; levels--) {
    const next = new Set<string>();
    for await (const result of fanfold.map(page, level)) {
      if (result.status !== 'ok') continue;
      yield result.output;
      for (const link of result.output.links) if (!seen.has(link)) next.add(link);
    }
    for (const link of next) seen.add(link);
    level = [...next];
  }
}

if (import.meta.main) {
  await using fanfold = await connect();
  for await (const { url, title } of crawl(fanfold, process.argv.slice(2), 3)) {
    console.log(url, title);
  }
}
