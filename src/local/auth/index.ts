export { SignatureError, type SignatureFault } from './errors.ts';
export { signedService } from './signed-service.ts';
export { Signer } from './signer.ts';
export type { Credentials } from './signing-keys.ts';
export { Verifier } from './verifier.ts';
