/** The page's top, with how it is connected, if it shows what goes on now. */
export function Bar({ line }: { line?: 'live' | 'loading' | 'disconnected' | undefined }) {
  return (
    <nav aria-label="Pages">
      <strong>Fanfold</strong>
      <a href="#runs">All runs</a>
      {line ? <span class={`line ${line}`}>{line}</span> : null}
    </nav>
  );
}
