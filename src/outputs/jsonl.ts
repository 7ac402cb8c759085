import { blocksOf, type Lines } from './blocks.ts';

const BLOCK_CHARACTERS = 256 * 1024;

/** Encodes result lines as they are, one per line. */
export async function* encodeJsonl(lines: Lines): AsyncGenerator<Uint8Array, void> {
  for await (const block of blocksOf(lines, BLOCK_CHARACTERS)) {
    yield Buffer.from(`${block.join('\n')}\n`);
  }
}
