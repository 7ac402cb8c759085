import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { tasksOfProject } from '../../cdk/project.ts';

const folder = mkdtempSync(join(tmpdir(), 'fanfold-project-'));
afterAll(() => rmSync(folder, { recursive: true }));

function tasksOf(content: string): unknown {
  writeFileSync(join(folder, 'package.json'), content);
  return tasksOfProject(folder);
}

it('a package.json names the tasks module under fanfold, and nothing else there', () => {
  expect(tasksOf('\ufeff{"fanfold": {"tasks": "a.ts"}}')).toBe(join(folder, 'a.ts'));
  expect(tasksOf('{"name": "one"}')).toBeUndefined();
  expect(() => tasksOf('{"fanfold": {"task": "a.ts"}}')).toThrow(/like.*got the key "task"/);
  expect(() => tasksOf('{"fanfold": "a.ts"}')).toThrow(/like.*got "a.ts"/);
  expect(() => tasksOf('{"fanfold": null}')).toThrow(/got null/);
});
