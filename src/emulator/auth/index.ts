export { SignatureError, type SignatureFault } from './errors.ts';
export { signedService, type Verifying } from './signed-service.ts';
export { Signer } from './signer.ts';
export type { Credentials } from './signing-keys.ts';
export { type VerifiedHead, Verifier } from './verifier.ts';
