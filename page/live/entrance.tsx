import { useEffect, useRef, useState } from 'preact/hooks';
import { ask } from './api.ts';

/** Asks for the token or secret. */
export function Entrance({ why, onEnter }: { why: string | undefined; onEnter: () => void }) {
  const [refused, setRefused] = useState(why);
  const [isAsking, setAsking] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    field.current?.focus();
    document.title = 'Fanfold: token needed';
  }, []);
  const submit = async (event: SubmitEvent & { currentTarget: HTMLFormElement }) => {
    event.preventDefault();
    const given = String(new FormData(event.currentTarget).get('token')).trim();
    setAsking(true);
    try {
      await ask('session', { token: tokenIn(given) });
      onEnter();
    } catch (error) {
      setRefused((error as Error).message);
    } finally {
      setAsking(false);
    }
  };
  return (
    <main class="entrance">
      <form class="card" onSubmit={submit}>
        <h1>Open the live page</h1>
        <p class="quiet" id="about">
          Paste the address that the command printed, its token, or the server's secret or join
          line.
        </p>
        <label>
          Token or secret
          <input
            ref={field}
            name="token"
            type="password"
            autocomplete="off"
            required
            aria-describedby="about refused"
          />
        </label>
        <p class="refused" id="refused" role="alert">
          {refused}
        </p>
        <button type="submit" class="main" disabled={isAsking}>
          Open
        </button>
      </form>
    </main>
  );
}

/** The token of an address that was pasted whole. */
function tokenIn(given: string): string {
  const at = given.indexOf('#');
  return (at < 0 ? null : new URLSearchParams(given.slice(at + 1)).get('token')) ?? given;
}
