/** All bytes that an encoder yields. */
export async function bytesOf(encoded: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(encoded));
}
