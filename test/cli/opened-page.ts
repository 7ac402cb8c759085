import { expect, vi } from 'vitest';
import { PageClient } from '../ui/page-client.ts';
import { inThisProcess } from './in-this-process.ts';

/** Starts a command with a live page, and enters the page. */
export async function opened(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const ended = inThisProcess(args, env);
  const said = () =>
    vi
      .mocked(process.stderr.write)
      .mock.calls.map(([text]) => text)
      .join('');
  const address = await vi.waitFor(() => {
    const [found] = /http:\S+#token=\S+/.exec(said()) ?? [];
    if (found === undefined) throw new Error('no address yet');
    return found;
  }, 20_000);
  const client = new PageClient(address);
  expect((await client.enter()).status).toBe(204);
  return { client, ended };
}
