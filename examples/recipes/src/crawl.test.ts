import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'fanfold';
import { crawl } from './crawl.ts';
import { serveHttp } from './serve-http.ts';

test('each page of a site is read once, and no other site', async () => {
  const read: string[] = [];
  const pages: Record<string, string> = {
    '/': '<title>Home</title><a href="a#top">A</a> <a href="/b">B</a> <a href="http://other.test/">',
    '/a': '<title>A &amp; more</title><a href="/">home</a><a href="/b?page=2">next</a>',
    '/b': '<title>B</title><a href="/a">A</a>',
    '/b?page=2': '<title>B 2</title>',
  };
  await using site = await serveHttp(({ url }) => {
    read.push(url);
    return { body: pages[url] ?? '' };
  });
  await using fanfold = await connect();
  const found = await Array.fromAsync(crawl(fanfold, [`${site.url}/`], 3));
  assert.deepEqual(found.map(({ title }) => title).toSorted(), ['A & more', 'B', 'B 2', 'Home']);
  assert.deepEqual(read.toSorted(), Object.keys(pages).toSorted());
});
