import { vi } from 'vitest';
import { main } from '../../src/cli/main.ts';
import type { Ended } from './command.ts';

/**
 * Runs a command to its end in this process, one at a time: for commands that end before they start
 * anything, where starting a process would be most of a test's time.
 */
export async function inThisProcess(args: readonly string[]): Promise<Ended> {
  const out = captured(process.stdout);
  const said = captured(process.stderr);
  const { exitCode } = process;
  try {
    await main(args);
    return { status: Number(process.exitCode ?? 0), stdout: out.text(), stderr: said.text() };
  } finally {
    process.exitCode = exitCode;
    out.restore();
    said.restore();
  }
}

function captured(stream: NodeJS.WriteStream): { text: () => string; restore: () => void } {
  const write = vi.spyOn(stream, 'write').mockImplementation(() => true);
  return {
    text: () => write.mock.calls.map(([text]) => String(text)).join(''),
    restore: () => write.mockRestore(),
  };
}
