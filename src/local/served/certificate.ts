export async function certificateIn(_folder: string): Promise<{ cert: string; key: string }> {
  throw new Error('not yet');
}
