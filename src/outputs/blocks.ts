/** Lines in the order given; an iterable is read without a promise for each line. */
export type Lines = Iterable<string> | AsyncIterable<string>;

/** Characters of a block: large enough for few calls, small beside other buffers. */
const BLOCK_CHARACTERS = 256 * 1024;

/** Groups lines into blocks of bounded size. */
export async function* blocksOf(lines: Lines): AsyncGenerator<string[], void> {
  let block: string[] = [];
  let characters = 0;
  const fills = (line: string) => {
    block.push(line);
    characters += line.length;
    return characters >= BLOCK_CHARACTERS;
  };
  const taken = () => {
    const full = block;
    block = [];
    characters = 0;
    return full;
  };
  if (Symbol.iterator in lines) {
    for (const line of lines) if (fills(line)) yield taken();
  } else {
    for await (const line of lines) if (fills(line)) yield taken();
  }
  if (block.length > 0) yield taken();
}
