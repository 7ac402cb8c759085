import { describe, expect, it } from 'vitest';
import { joinText, readJoin } from '../../src/endpoint/connection.ts';

const JOIN = {
  endpoint: 'https://192.168.1.7:9324',
  region: 'eu-west-1',
  credentials: { accessKeyId: 'KEY', secretAccessKey: 'of the/command+line@:#?' },
  fingerprint: 'ab'.repeat(32),
};

describe('a join', () => {
  it.each([
    JOIN,
    { ...JOIN, credentials: undefined },
    { ...JOIN, fingerprint: undefined, endpoint: 'http://[::1]:9324' },
  ])('is unchanged after formatting and reading', (join) => {
    expect(readJoin(joinText(join), 'it')).toEqual(
      Object.fromEntries(Object.entries(join).filter(([, value]) => value !== undefined)),
    );
  });

  it.each([
    '',
    'nonsense',
    'ftp://KEY:SECRET@host:1/',
    'https://KEY@host:1/?region=x',
    `https://KEY:SECRET@host:1/?region=x#${'ab'.repeat(31)}`,
    'https://KEY:SECRET@host:1/#nothex',
  ])('that is incomplete is refused, and not shown: %j', (text) => {
    const read = () => readJoin(text, 'FANFOLD_JOIN');
    expect(read).toThrow(/^FANFOLD_JOIN must be the whole line that `fanfold serve` prints/);
    expect(read).not.toThrow(/SECRET@host/);
  });
});
