import type {
  Service,
  ServiceRequest,
  ServiceResponse,
  SignedService,
} from '../transport/index.ts';
import type { Verifier } from './verifier.ts';

/** The part of a Verifier that a service needs. */
export type Verifying = Pick<Verifier, 'verify' | 'verifyHead'>;

/**
 * Has a service answer those alone whose signatures are verified: as far as possible before a
 * request's body is read, so that strangers cannot fill the memory.
 *
 * @param refuse what a request is answered that is not verified, by a SignatureError or another
 */
export function signedService(
  verifier: Verifying,
  service: Service,
  refuse: (error: unknown, request: ServiceRequest) => ServiceResponse,
): SignedService {
  const verified = (request: ServiceRequest, verify: () => void) => {
    try {
      verify();
    } catch (error) {
      return refuse(error, request);
    }
    return service(request);
  };
  const whole: Service = (request) => verified(request, () => verifier.verify(request, Date.now()));
  const admit: SignedService['admit'] = (head) => {
    try {
      const found = verifier.verifyHead(head, Date.now());
      return {
        isStranger: !found.isSigned,
        answer: (request) => verified(request, () => found.verifyBody(request.body)),
      };
    } catch (error) {
      return refuse(error, head);
    }
  };
  return Object.assign(whole, { admit });
}
