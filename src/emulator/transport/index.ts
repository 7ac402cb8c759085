// The two ways to reach a service: in process for SDK clients, and on a port.
export type { BodyFault } from './body.ts';
export { isLoopback, type Listening, type ListenOptions, listen } from './http.ts';
export { inProcess } from './in-process.ts';
export { normalPath } from './path.ts';
export { copiedFast, OWN_SETTINGS, unsigned } from './sdk-client.ts';
export type {
  Connection,
  Service,
  ServiceRequest,
  ServiceResponse,
  SignedService,
} from './service.ts';
