import { vi } from 'vitest';
import { main } from '../../src/cli/main.ts';
import type { Ended } from './command.ts';

/**
 * Runs a command to its end in this process, one at a time: for commands that end before they start
 * anything, where starting a process would be most of a test's time.
 */
export async function inThisProcess(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  const before = setAll(env);
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
    setAll(before);
  }
}

/** Sets environment variables. Returns their previous values. */
function setAll(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const before: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(env)) {
    before[name] = process.env[name];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  return before;
}

function captured(stream: NodeJS.WriteStream): { text: () => string; restore: () => void } {
  const written: string[] = [];
  const write = vi.spyOn(stream, 'write').mockImplementation((text, ...rest) => {
    written.push(String(text));
    for (const done of rest) if (typeof done === 'function') done();
    return true;
  });
  return { text: () => written.join(''), restore: () => write.mockRestore() };
}
