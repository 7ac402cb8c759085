import type { RunState } from '../../src/ui/protocol.ts';

const WORDS: Record<RunState, string> = {
  running: 'Running',
  paused: 'Paused',
  cancelling: 'Cancelling',
  ended: 'Ended',
};

/** @param because why it ended early; undefined if it did not */
export function stateWord(state: RunState, because: string | undefined): string {
  if (state !== 'ended') return WORDS[state];
  return because === undefined ? 'Finished' : 'Ended early';
}

/** A run's state, as a word and a shape: colour alone doesn't tell everybody. */
export function State({ state, word = WORDS[state] }: { state: RunState; word?: string }) {
  return <span class={`state ${state}`}>{word}</span>;
}
