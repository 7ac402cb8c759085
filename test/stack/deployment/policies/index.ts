export { Authority, type Denial, type Principal } from './authority.ts';
export { type Ask, readStatements, type Statement } from './statement.ts';
