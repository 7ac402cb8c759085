export { SignatureError, type SignatureFault } from './errors.ts';
export type { Credentials } from './signing-keys.ts';
export { Verifier, type VerifierOptions } from './verifier.ts';
