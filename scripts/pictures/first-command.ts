/** The picture below the README's first sentence. */
export const PICTURE = 'docs/pictures/first-run.svg';

/** The README's first command after the installation, which the picture shows. */
export function firstCommand(readme: string): string {
  const block = /^```sh\n(.*?)^```/ms.exec(readme)?.[1] ?? '';
  const commands = block.split('\n').map((line) => line.replace(/\s+#.*/, ''));
  const command = commands.find((line) => line !== '')?.replace(/^npm ci && /, '');
  if (command === undefined) throw new Error('README.md has no command in its first sh block.');
  return command;
}
