import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findTasksModule } from '../../src/cli/tasks-module.ts';
import { folderWith } from '../inputs/reading.ts';
import { start } from './command.ts';

const refusal = (text: string) =>
  expect.objectContaining({ code: 'BadOption', message: expect.stringContaining(text) });

it.each([
  ['null', 'it must hold an object; got null'],
  ['[]', 'it must hold an object; got []'],
  ['5', 'it must hold an object; got 5'],
  ['{"fanfold": 5}', '`fanfold` must be like {"tasks": "src/tasks.ts"}; got 5'],
  ['{"fanfold": null}', '`fanfold` must be like'],
  ['{"fanfold": "tasks.ts"}', '`fanfold` must be like'],
  [
    '{"fanfold": {"task": "a.ts"}}',
    '`fanfold` must have only the key "tasks"; got {"task":"a.ts"}',
  ],
  ['{"fanfold": {"tasks": "a.ts", "Tasks": 1}}', 'only the key "tasks"; got {"Tasks":1}'],
  ['{"fanfold": {"tasks": ["a.ts"]}}', '`fanfold.tasks` must be the path of one tasks module'],
  ['{"fanfold": {"tasks": 5}}', '`fanfold.tasks` must be the path'],
  ['{"fanfold": {"tasks": ""}}', '`fanfold.tasks` must be the path'],
  ['{"fanfold": {"tasks": null}}', '`fanfold.tasks` must be the path'],
  ['{', 'package.json, which can name the tasks module, cannot be read'],
  ['', 'cannot be read'],
])(
  'a package.json without a valid tasks module is refused with a sentence: %s',
  (content, sentence) => {
    using folder = folderWith({ 'package.json': content });
    expect(() => findTasksModule(undefined, folder.path)).toThrow(refusal(sentence));
    // A given module takes precedence over any package.json.
    expect(findTasksModule('a.ts', folder.path).path).toBe(join(folder.path, 'a.ts'));
  },
);

it('a package.json may be a folder, and may start with a byte order mark', () => {
  using folder = folderWith({ 'package.json/x': '' });
  expect(() => findTasksModule(undefined, folder.path)).toThrow(refusal('EISDIR'));
  const marked = join(folder.path, 'marked');
  mkdirSync(marked);
  writeFileSync(join(marked, 'package.json'), '\ufeff{"fanfold": {"tasks": "src/a.ts"}}');
  expect(findTasksModule(undefined, marked)).toEqual({
    path: join(marked, 'src/a.ts'),
    shipped: false,
  });
});

it('a deleted working folder is reported with status 2', async () => {
  using folder = folderWith({});
  const through = ['sh', '-c', 'mkdir gone && cd gone && rmdir ../gone && exec "$0" "$@"'];
  const { ended } = start(['run', 'echo', '--range', '1'], { cwd: folder.path, through });
  expect(await ended).toMatchObject({
    status: 2,
    stdout: '',
    stderr: expect.stringContaining('The current folder no longer exists: cd to another'),
  });
});
