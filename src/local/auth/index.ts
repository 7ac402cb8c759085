export { SignatureError, type SignatureFault } from './errors.ts';
export { Signer } from './signer.ts';
export type { Credentials } from './signing-keys.ts';
export { signedService } from './signed-service.ts';
export { Verifier } from './verifier.ts';
