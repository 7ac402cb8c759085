import { useEffect, useState } from 'preact/hooks';

/** What the page shows, as its address says: `#run=ID&input=INDEX`. */
export interface Place {
  /** Undefined: the list of runs. */
  runId: string | undefined;
  input: number | undefined;
}

function placeOf(): Place {
  const fragment = fragmentOf();
  const input = fragment.get('input');
  const isIndex = input !== null && /^\d{1,12}$/.test(input);
  return { runId: fragment.get('run') ?? undefined, input: isIndex ? Number(input) : undefined };
}

function fragmentOf(): URLSearchParams {
  return new URLSearchParams(location.hash.slice(1));
}

export function linkTo(runId: string, input?: number): string {
  return `#${new URLSearchParams({ run: runId, ...(input === undefined ? {} : { input: `${input}` }) })}`;
}

/** The token of the printed address, and takes it out of the address and the browser's history. */
export function takeToken(): string | undefined {
  const fragment = fragmentOf();
  const token = fragment.get('token');
  if (token === null) return undefined;
  fragment.delete('token');
  history.replaceState(null, '', fragment.size > 0 ? `#${fragment}` : location.pathname);
  return token;
}

/** The place in the address, also when it changes. */
export function usePlace(): Place {
  const [place, set] = useState(placeOf);
  useEffect(() => {
    const change = () => set(placeOf());
    addEventListener('hashchange', change);
    return () => removeEventListener('hashchange', change);
  }, []);
  return place;
}
