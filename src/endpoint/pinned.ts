import { Agent, type AgentOptions, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect } from 'node:tls';

/** The server's certificate is not the expected one. */
export class WrongCertificate extends Error {
  override readonly name = 'WrongCertificate';
  /** SHA-256 of the certificate that it presented, in hex. */
  readonly shown: string;

  constructor(shown: string) {
    super(`The server presents a certificate with the fingerprint ${shown}.`);
    this.shown = shown;
  }
}

/**
 * Agent that verifies a server by its certificate's fingerprint alone, not by its name or an
 * authority. It provides a connection only after it has checked the fingerprint, so that no request
 * is ever sent to another server.
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
    // An agent's options combine those of the request and of the connection.
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

/** The form that joins use; Node's is `AB:CD:...`. */
export function fingerprintOf(fingerprint256: string): string {
  return fingerprint256.replaceAll(':', '').toLowerCase();
}
