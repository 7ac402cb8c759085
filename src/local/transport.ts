// The two ways to a service: in process for SDK clients, and on a port.
export type { BodyFault } from './transport/body.ts';
export { copiedFast } from './transport/copied-fast.ts';
export { isLoopback, type Listening, listen } from './transport/http.ts';
export { inProcess } from './transport/in-process.ts';
export { OWN_SETTINGS } from './transport/own-settings.ts';
export { normalPath } from './transport/path.ts';
export type {
  Service,
  ServiceRequest,
  ServiceResponse,
  SignedService,
} from './transport/service.ts';
export { unsigned } from './transport/unsigned.ts';
