import { say } from '../log.ts';

/** Opens an address in the browser. A machine without one gets a warning. */
export async function openBrowser(address: string): Promise<void> {
  const warn = (why: string) =>
    say(`warning: no browser could be opened (${why}): open it yourself`);
  try {
    const { default: open } = await import('open');
    const opener = await open(address);
    opener.once('exit', (status) => {
      if (status !== 0 && status !== null) warn(`the opener ended with status ${status}`);
    });
  } catch (error) {
    warn((error as Error).message);
  }
}
