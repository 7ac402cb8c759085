import type { Places } from './places.ts';
import type { Position, Source } from './source.ts';

/** Inputs as JSON texts, in order. */
export interface Batch {
  texts: string[];
  /** Where reading may go on, behind them. */
  end: Position;
}

/** Reads one format. @param places is told on which line each input stands */
export type Read = (source: Source, places: Places, from: Position) => AsyncGenerator<Batch, void>;
