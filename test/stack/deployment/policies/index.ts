export {
  Authority,
  type Denial,
  grantsOf,
  type Principal,
  withoutGrant,
} from './authority.ts';
export type { Circumstances } from './conditions.ts';
export { type Ask, readStatements, readTrust, type Statement } from './statement.ts';
