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
 * Lets a service answer only requests whose signatures are verified. As much as possible is
 * verified before the body is read, so that strangers can't fill the memory.
 *
 * @param refuse answers a request that could not be verified, by a SignatureError or another error
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
