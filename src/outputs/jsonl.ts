import { blocksOf, type Lines } from './blocks.ts';

/** Encodes result lines as they are, one per line. */
export async function* encodeJsonl(lines: Lines): AsyncGenerator<Uint8Array, void> {
  for await (const block of blocksOf(lines)) {
    yield Buffer.from(`${block.join('\n')}\n`);
  }
}
