/** What a task threw, as far as its JSON says. */
interface Thrown {
  name?: unknown;
  message?: unknown;
  code?: unknown;
  errorCode?: unknown;
  stack?: unknown;
  fields?: unknown;
  cause?: unknown;
  errors?: unknown;
}

/** An error with its causes. A text that was cut, and is no JSON any more, is shown as it is. */
export function Thrown({ text }: { text: string }) {
  const error = errorIn(text);
  return error === undefined ? <pre>{text}</pre> : <Chain {...error} />;
}

function errorIn(text: string): Thrown | undefined {
  try {
    return thrownOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function thrownOf(value: unknown): Thrown | undefined {
  const isError = typeof value === 'object' && value !== null && 'message' in value;
  return isError ? value : undefined;
}

function Chain({ name, message, code, errorCode, stack, fields, cause, errors }: Thrown) {
  const inner = thrownOf(cause);
  const others = Array.isArray(errors) ? errors.map(thrownOf).filter((error) => !!error) : [];
  return (
    <div class="thrown">
      <p class="text">
        <strong>{String(name ?? 'Error')}</strong>: {String(message)}
      </p>
      <p class="quiet">
        {[code, errorCode]
          .filter((known) => known !== undefined)
          .map(String)
          .join(', ')}
      </p>
      {[fields, framesOf({ name, message, stack })].map((more) =>
        typeof more === 'string' ? <pre key={more}>{more}</pre> : null,
      )}
      {inner ? (
        <>
          <h4>Caused by</h4>
          <Chain {...inner} />
        </>
      ) : null}
      {others.length > 0 ? <h4>Errors in it</h4> : null}
      {others.map((other, at) => (
        <Chain key={at} {...other} />
      ))}
    </div>
  );
}

/** The stack without its first lines, which repeat the name and the message. */
function framesOf({ name, message, stack }: Thrown): string | undefined {
  if (typeof stack !== 'string') return undefined;
  const head = `${String(name)}: ${String(message)}`;
  const frames = stack.startsWith(head) ? stack.slice(head.length) : stack;
  return frames.trim().replace(/^ +/gm, '') || undefined;
}
