import { crc32 } from 'node:zlib';
import type { Moment } from '../service-time.ts';
import { Damage } from './damage.ts';
import type { Database } from '../../sqlite.ts';

/** A moment as it is stored, with a checksum like those of table rows. */
export function momentText({ time, wall }: Moment): string {
  return `${time} ${wall} ${crc32(`${time} ${wall}`)}`;
}

/** The moment of the last write; undefined if nothing has been written yet. */
export function readMoment(sql: Database): Moment | undefined {
  const row = sql.prepare("SELECT value FROM about WHERE key = 'moment'").get();
  if (row === undefined) return undefined;
  const [time, wall] = String(row.value).split(' ').map(Number);
  if (time !== undefined && wall !== undefined && momentText({ time, wall }) === row.value) {
    return { time, wall };
  }
  throw new Damage('it is corrupt');
}
