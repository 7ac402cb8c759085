import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listen, type Service } from '../../../src/emulator/transport/index.ts';
import { certificateIn } from '../../../src/serve/certificate.ts';

/** The address of a deployment. Its URL is known before its service exists. */
export interface Address extends AsyncDisposable {
  readonly url: string;
  /** The same without TLS. */
  readonly plainUrl: string;
  /** The file of the certificate that clients must trust. */
  readonly authorityFile: string;
  /** The service, for clients in this process. */
  readonly service: Service;
  serve(service: Service): void;
}

/** For objects of S3, which are sent in one piece here. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;

export async function openAddress(): Promise<Address> {
  await using opened = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'fanfold-port-'));
  opened.defer(() => rmSync(folder, { recursive: true }));
  const { cert, key } = await certificateIn(folder);
  const authorityFile = join(folder, 'authority.pem');
  writeFileSync(authorityFile, cert);
  let served: Service | undefined;
  const service: Service = (request) => {
    if (served) return served(request);
    throw new Error('The deployment is not ready.');
  };
  const options = { maxBodyBytes: MAX_BODY_BYTES };
  const { url } = opened.use(await listen(service, { ...options, tls: { cert, key } }));
  const { url: plainUrl } = opened.use(await listen(service, options));
  const open = opened.move();
  return {
    ...{ url, plainUrl, authorityFile, service },
    serve(by) {
      served = by;
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
