import type { Command } from 'commander';
import { FanfoldError, type Run } from '../../index.ts';
import { serveUi } from '../../internal.ts';
import { say } from '../log.ts';
import { wholeNumber } from '../serve.ts';
import { type CollectedRun, CollectedRuns } from './collected-runs.ts';
import { openBrowser } from './open-browser.ts';

/** Flags of a command with a live page. */
export interface PageFlags {
  ui?: boolean;
  uiPort?: string;
  open?: boolean;
  /** The page, once it is open. */
  page?: RunPage | undefined;
}

/** The live page of a command that collects runs. */
export interface RunPage {
  show(collected: CollectedRun): void;
  /** Shows that the command no longer collects a run. */
  ended(run: Run): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export function addPageOptions(command: Command): Command {
  return command
    .option('--ui', 'serve a live page of the run on this machine, and print its address')
    .option('--ui-port <n>', 'the port of --ui (default: any free port)')
    .option('--open', 'with --ui: open the page in a browser');
}

/** @throws FanfoldError `BadOption` */
export function checkPage({ ui, uiPort, open }: PageFlags, storesResults: boolean): void {
  const given = uiPort !== undefined ? '--ui-port' : '--open';
  if (!ui && (uiPort !== undefined || open)) {
    throw new FanfoldError('BadOption', `${given} is for the page of --ui: add --ui.`);
  }
  portOf(uiPort);
  if (!ui || !storesResults) return;
  throw new FanfoldError(
    'BadOption',
    '--ui shows a run that this command collects, and the results of this one are stored by its stack: leave --ui out, and follow it with `fanfold ui --stack NAME`.',
  );
}

function portOf(uiPort: string | undefined): number | undefined {
  return wholeNumber('--ui-port', uiPort, 65_535);
}

/**
 * Opens the page before the run starts, and says where it is.
 *
 * @throws FanfoldError `BadOption` when the port is taken
 */
export async function openPage({ ui, uiPort, open }: PageFlags): Promise<RunPage | undefined> {
  if (!ui) return undefined;
  const runs = new CollectedRuns();
  const served = await serveUi(runs, { port: portOf(uiPort) });
  say(`live page, for one browser: ${served.address}`);
  if (open) await openBrowser(served.address);
  return {
    show: (collected) => runs.add(collected),
    async ended({ runId }) {
      runs.ended(runId);
      await served.now();
    },
    [Symbol.asyncDispose]: () => served.close(),
  };
}
