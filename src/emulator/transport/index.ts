// The two ways to reach a service: in process for SDK clients, and on a port.
export type { BodyFault } from './body.ts';
export { copiedFast } from './copied-fast.ts';
export { isLoopback, type Listening, listen } from './http.ts';
export { inProcess } from './in-process.ts';
export { OWN_SETTINGS } from './own-settings.ts';
export { normalPath } from './path.ts';
export type {
  Service,
  ServiceRequest,
  ServiceResponse,
  SignedService,
} from './service.ts';
export { unsigned } from './unsigned.ts';
