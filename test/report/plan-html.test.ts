import { load } from 'cheerio';
import { expect, it } from 'vitest';
import { planHtml } from '../../src/report/plan-html.ts';

const timeline = [
  { atSeconds: 0, busyWorkers: 0, done: 0 },
  { atSeconds: 5, busyWorkers: 100, done: 400 },
  { atSeconds: 10, busyWorkers: 50, done: 1_000 },
];

it('draws the workers and the results of a plan over its time', () => {
  const page = { task: 'resize', inputs: 1_000, lines: ['time  about 10 s'], timeline };
  const $ = load(planHtml(page));
  expect($('h1').text()).toBe('Plan of resize');
  expect($('polyline.workers').attr('points')).toBe('0.0,220.0 450.0,0.0 900.0,110.0');
  expect($('polyline.done').attr('points')).toBe('0.0,220.0 450.0,132.0 900.0,0.0');
  expect($('svg').first().text()).toMatch(/100\s+0 s\s+2.5 s\s+5 s\s+7.5 s\s+10 s/);
  expect($('pre').text()).toBe('time  about 10 s');
});

it('shows what tasks say as text, and runs nothing', () => {
  const hostile = '</pre><script>alert(1)</script>';
  const html = planHtml({ task: hostile, inputs: 1, lines: [hostile], timeline: [] });
  expect(load(html)('script')).toHaveLength(0);
  expect(load(html)('pre').text()).toBe(hostile);
  expect(html).toContain("default-src 'none'");
});
