import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/**
 * Keep-alive connections that send prepared requests as raw bytes. node:http's client costs more
 * than its server, and would dominate the measurement.
 */
export class Connections {
  readonly #sockets: Socket[];

  private constructor(sockets: Socket[]) {
    this.#sockets = sockets;
  }

  static async open(url: string, count: number): Promise<Connections> {
    const { hostname, port } = new URL(url);
    const sockets = Array.from({ length: count }, () =>
      connect({ host: hostname, port: Number(port), noDelay: true }),
    );
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    return new Connections(sockets);
  }

  /**
   * Makes the requests, one at a time on each connection. Returns the bodies of the responses.
   * Never sleeps in between: waking a sleeping processor costs the process that writes to the
   * socket, which is the server, more than the request itself, and a slower server even more.
   */
  async exchange(requests: readonly Buffer[]): Promise<Buffer[]> {
    const bodies: Buffer[] = [];
    let next = 0;
    let done = false;
    const spin = () => {
      if (!done) setImmediate(spin);
    };
    spin();
    await Promise.all(this.#sockets.map((socket) => work(socket))).finally(() => {
      done = true;
    });
    return bodies;

    function work(socket: Socket): Promise<void> {
      return new Promise((resolve, reject) => {
        let place = next;
        let received: Buffer | undefined;
        const begin = () => {
          place = next++;
          const request = requests[place];
          if (request) socket.write(request);
          else {
            socket.off('data', take).off('close', closed);
            resolve();
          }
        };
        const take = (chunk: Buffer) => {
          received = received ? Buffer.concat([received, chunk]) : chunk;
          const body = bodyOf(received);
          if (body === undefined) return;
          if (body instanceof Error) return reject(body);
          bodies[place] = body;
          received = undefined;
          begin();
        };
        const closed = () => reject(new Error('The server closed the connection.'));
        socket.on('data', take).on('close', closed);
        begin();
      });
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** The body of a response; undefined while it is incomplete, an error if the status is not 200. */
function bodyOf(answer: Buffer): Buffer | Error | undefined {
  const end = answer.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = answer.toString('latin1', 0, end);
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  if (length === undefined) return new Error(`The response has no Content-Length:\n${head}`);
  const body = answer.subarray(end + 4);
  if (body.length < Number(length)) return undefined;
  return head.startsWith('HTTP/1.1 200')
    ? body
    : new Error(`The server refused the request:\n${answer}`);
}
