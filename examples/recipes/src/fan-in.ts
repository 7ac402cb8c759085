import { connect, defineTask, type Fanfold } from 'fanfold';

// A pure function fails again in the same way, so one attempt is enough.
export const words = defineTask({
  name: 'words',
  maxAttempts: 1,
  run: (line: string) => line.split(' '),
});
export const lengths = defineTask({
  name: 'lengths',
  maxAttempts: 1,
  run: (found: string[]) => found.map((word) => word.length),
});

export async function letters(fanfold: Fanfold, lines: Iterable<string>): Promise<number> {
  let sum = 0;
  const split = fanfold.map(words, lines);
  for await (const counts of fanfold.map(lengths, split.outputs()).outputs()) {
    for (const count of counts) sum += count;
  }
  return sum;
}

if (import.meta.main) {
  await using fanfold = await connect();
  console.log(await letters(fanfold, ['to be or', 'not to be']));
}
