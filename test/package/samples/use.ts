// How the design's sample is used: here, in its test, on AWS by its type alone.
import { connect, defineTask, type FanfoldError, type Result } from 'fanfold';
import type { resize as ResizeTask } from './resize.ts';
import { resize } from './resize.ts';

export async function here(): Promise<number> {
  await using fanfold = await connect();
  const [result] = await Array.fromAsync(fanfold.map(resize, [{ url: 'data:,hello' }]));
  if (result?.status === 'ok') return result.output.bytes;
  if (result?.status === 'failed') throw new Error(result.error.code);
  return 0;
}

export async function elsewhere(urls: AsyncIterable<{ url: string }>): Promise<void> {
  await using photos = await connect({ stack: 'Photos' });
  for await (const result of photos.map<typeof ResizeTask>('resize', urls, { ordered: true })) {
    if (result.status === 'ok') result.output.bytes.toFixed();
  }
  const run = photos.map<typeof ResizeTask>('resize', urls);
  run.detach();
  await run.cancel();
  const { inputs, ok, failed, cancelled, duplicates } = run.ledger;
  console.log(run.runId, inputs, ok, failed, cancelled, duplicates);
}

export async function processes(): Promise<void> {
  await using fanfold = await connect({
    tasks: new URL('./resize.ts', import.meta.url),
    workers: 4,
  });
  for await (const { bytes } of fanfold.map(resize, [{ url: 'data:,hello' }]).outputs()) {
    console.log(bytes.toFixed());
  }
  // @ts-expect-error: the schema's input has a `url`
  fanfold.map(resize, [{ uri: 'data:,hello' }]);
  // @ts-expect-error: the output has `bytes`
  for await (const { size } of fanfold.map(resize, [{ url: 'x' }]).outputs()) console.log(size);
  // @ts-expect-error: a stack's tasks are its own
  fanfold.map({ name: 'resize' }, []);
}

// An output's type is what JSON makes of it.
const image = defineTask({
  name: 'image',
  run: (id: number) => ({ id, at: new Date(), gone: undefined, method() {} }),
});
const nothing = defineTask({ name: 'nothing', run: (_: string) => {} });

export async function typed(): Promise<void> {
  await using fanfold = await connect();
  for await (const result of fanfold.map(image, [1])) {
    const checked: Result<{ id: number; at: string }> = result;
    console.log(checked);
    // @ts-expect-error: JSON has no functions
    if (result.status === 'ok') result.output.method;
  }
  for await (const output of fanfold.map(nothing, ['x']).outputs()) {
    const checked: null = output;
    console.log(checked);
  }
}

export const codeOf = (error: FanfoldError): string => error.code;
