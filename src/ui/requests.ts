import type { IncomingMessage, ServerResponse } from 'node:http';

/** Longest body of a request, in bytes. */
const MOST_BYTES = 64 * 1024;

/** An answer that refuses a request, with a sentence that the page shows. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.writeHead(status).end(JSON.stringify(value));
}

/** Reads a body that is a JSON object. @throws Refusal */
export async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const [type] = (request.headers['content-type'] ?? '').split(';');
  // Other pages can't send this type without a preflight, which is refused.
  if (type?.trim().toLowerCase() !== 'application/json') {
    throw new Refusal(415, 'The content type must be application/json.');
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Refusal(413, `The body must not exceed ${MOST_BYTES} bytes.`);
    chunks.push(chunk);
  }
  try {
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString() || '{}');
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { ...body };
  } catch {}
  throw new Refusal(400, 'The body must be a JSON object.');
}

/** The value of a cookie. */
export function cookieOf(request: IncomingMessage, name: string): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}
