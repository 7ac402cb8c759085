/** Lines in the order given; an iterable is read without a promise for each line. */
export type Lines = Iterable<string> | AsyncIterable<string>;

/** Groups lines into blocks that have about as many characters, and at most as many lines. */
export async function* blocksOf(
  lines: Lines,
  mostCharacters: number,
  mostLines = Infinity,
): AsyncGenerator<string[], void> {
  let block: string[] = [];
  let characters = 0;
  const fills = (line: string) => {
    block.push(line);
    characters += line.length;
    return characters >= mostCharacters || block.length >= mostLines;
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
