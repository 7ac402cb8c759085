import { Agent, type AgentOptions, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect } from 'node:tls';

/** The server showed another certificate than the one it is known by. */
export class WrongCertificate extends Error {
  override readonly name = 'WrongCertificate';
  /** Of the one that it showed: SHA-256 in hex. */
  readonly shown: string;

  constructor(shown: string) {
    super(`The server shows a certificate with the fingerprint ${shown}.`);
    this.shown = shown;
  }
}

/**
 * Connections to a server that is known by its certificate's fingerprint, and by nothing else: not
 * by its name, nor by an authority. A connection is handed to who sends requests only when the
 * fingerprint is right, so that none is ever sent to another server.
 */
export class PinnedAgent extends Agent {
  readonly #fingerprint: string;

  /** @param fingerprint SHA-256 of the certificate, in hex */
  constructor(fingerprint: string, options: AgentOptions) {
    super(options);
    this.#fingerprint = fingerprint;
  }

  override createConnection(
    options: RequestOptions,
    done?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    // An agent's options are those of its request and of the connection in one.
    const socket = connect({ ...(options as ConnectionOptions), rejectUnauthorized: false });
    const failed = (error: Error) => done?.(error, socket);
    socket.once('error', failed);
    socket.once('secureConnect', () => {
      const shown = fingerprintOf(socket.getPeerX509Certificate()?.fingerprint256 ?? 'none');
      socket.off('error', failed);
      if (shown === this.#fingerprint) {
        done?.(null, socket);
        return;
      }
      socket.on('error', () => {}).destroy();
      done?.(new WrongCertificate(shown), socket);
    });
  }
}

/** As it stands in joins: Node writes `AB:CD:...`. */
export function fingerprintOf(fingerprint256: string): string {
  return fingerprint256.replaceAll(':', '').toLowerCase();
}
