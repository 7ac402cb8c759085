import { Command } from 'commander';
import { expect, it } from 'vitest';
import { addAll, addNamed } from '../../src/cli/commands.ts';

const never = (): never => {
  throw new Error('A command ran that is only listed.');
};

/** What help and messages show of each command. */
function shown(program: Command): string[] {
  return program.commands.map(
    (command) => `${command.name()} ${command.usage()}: ${command.description()}`,
  );
}

it('the list of commands says of each what its own file says', async () => {
  const [listed, whole] = [new Command(), new Command()];
  await addNamed(listed, undefined, never);
  await addAll(whole);
  expect(shown(listed)).toEqual(shown(whole));
  expect(listed.commands.flatMap(({ options }) => options)).toEqual([]);
});

it('loads the named command, and those of its file', async () => {
  const program = new Command();
  await addNamed(program, 'unpause', never);
  const loaded = program.commands.filter(({ options }) => options.length > 0);
  expect(loaded.map((command) => command.name())).toEqual(['set', 'pause', 'unpause']);
});
