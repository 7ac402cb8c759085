export { SignatureError, type SignatureFault } from './errors.ts';
export type { Credentials } from './signing-keys.ts';
export { Verifier } from './verifier.ts';
