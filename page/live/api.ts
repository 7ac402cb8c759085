/** A refusal of the server, or why it can't be reached, as a sentence. */
export class Refused extends Error {
  /** Undefined if there was no answer. */
  readonly status: number | undefined;

  constructor(status: number | undefined, message: string) {
    super(message);
    this.status = status;
  }
}

const AWAY = 'The server cannot be reached: its command may have ended.';

/** Asks the server, and posts if there is a body. @throws Refused */
export async function ask(path: string, body?: object): Promise<Response> {
  const posted = body && {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  const response = await fetch(`/api/${path}`, posted).catch(() => undefined);
  if (response === undefined) throw new Refused(undefined, AWAY);
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  throw new Refused(response.status, sentenceOf(told) ?? `The server answers ${response.status}.`);
}

function sentenceOf(told: unknown): string | undefined {
  const isTold = typeof told === 'object' && told !== null && 'error' in told;
  return isTold && typeof told.error === 'string' ? told.error : undefined;
}

export function isLocked(error: unknown): boolean {
  return error instanceof Refused && error.status === 401;
}

export function runPath(runId: string, what: string): string {
  return `runs/${encodeURIComponent(runId)}/${what}`;
}
