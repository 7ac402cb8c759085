import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { misfit, type NativeFile, nativeFiles, shownPlatform } from '../../cdk/native-files.ts';

function elf(machine: number, { libc = 'libc.so.6', bits = 2, abi = 0 } = {}): Buffer {
  const header = Buffer.alloc(64);
  header.write('\x7fELF', 'latin1');
  header.set([bits, 1, 1, abi], 4);
  header.writeUInt16LE(machine, 18);
  return Buffer.concat([header, Buffer.from(`\0libm.so.6\0${libc}\0`)]);
}

function machO(processor: number): Buffer {
  const header = Buffer.alloc(64);
  header.writeUInt32LE(0xfeedfacf, 0);
  header.writeUInt32LE(processor, 4);
  return header;
}

function portableExecutable(machine: number): Buffer {
  const header = Buffer.alloc(160);
  header.write('MZ', 'latin1');
  header.writeUInt32LE(128, 0x3c);
  header.write('PE\0\0', 128, 'latin1');
  header.writeUInt16LE(machine, 132);
  return header;
}

const GLIBC = elf(0xb7);
const MUSL = elf(0xb7, { libc: 'libc.musl-aarch64.so.1' });
const ARM64 = { os: 'linux', cpu: 'arm64', libc: 'glibc' };

function read(files: Record<string, Buffer>): NativeFile[] {
  const folder = mkdtempSync(join(tmpdir(), 'fanfold-headers-'));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  const found = nativeFiles(folder);
  rmSync(folder, { recursive: true });
  return found;
}

it.each([
  ['linux-x64-glibc', elf(0x3e)],
  ['linux-arm64-glibc', GLIBC],
  ['linux-arm64-musl', MUSL],
  ['linux-x64-musl', elf(0x3e, { libc: 'libc.so' })],
  ['linux-arm-glibc', elf(0x28, { bits: 1 })],
  ['linux-x64-32-glibc', elf(0x3e, { bits: 1 })],
  ['freebsd-x64', elf(0x3e, { abi: 9, libc: 'libc.so.7' })],
  ['linux-ELF machine 258-glibc', elf(258)],
  ['darwin-arm64', machO(0x0100000c)],
  ['darwin-x64', machO(0x01000007)],
  ['win32-x64', portableExecutable(0x8664)],
  ['win32-arm64', portableExecutable(0xaa64)],
])('a file’s header says that it is for %s', (platform, content) => {
  const [file] = read({ 'a.node': content });
  expect(file?.platform && shownPlatform(file.platform)).toBe(platform);
});

it.each([
  ['is text', Buffer.from('version https://git-lfs.github.com/spec/v1\n'.repeat(3))],
  ['is empty', Buffer.alloc(0)],
  ['ends in its header', GLIBC.subarray(0, 20)],
  ['is of DOS', Buffer.concat([Buffer.from('MZ'), Buffer.alloc(100, 0xff)])],
])('a file that %s is no native module', (_, content) => {
  expect(read({ 'a.node': content })).toEqual([{ path: 'a.node', platform: undefined }]);
});

const platformPackage = (name: string) => `node_modules/@me/codec-${name}/codec.node`;

it.each([
  ['the right build', { [platformPackage('linux-arm64')]: GLIBC }],
  [
    'a musl build beside the right one',
    { [platformPackage('linuxmusl-arm64')]: MUSL, [platformPackage('linux-arm64')]: GLIBC },
  ],
  [
    'a package with builds for all platforms',
    {
      'node_modules/codec/prebuilds/linux-x64/codec.node': elf(0x3e),
      'node_modules/codec/prebuilds/darwin-arm64/codec.node': machO(0x0100000c),
      'node_modules/codec/prebuilds/linux-arm64/codec.node': GLIBC,
    },
  ],
])('%s fits', (_, files) => {
  expect(misfit(read(files), ARM64)).toBeUndefined();
});

it.each([
  ['of another processor', platformPackage('linux-x64'), elf(0x3e)],
  ['of another system', platformPackage('darwin-arm64'), machO(0x0100000c)],
  ['that is no native module', 'node_modules/codec/build/codec.node', Buffer.alloc(100)],
  ['of musl alone', 'node_modules/paint-linux-arm64-musl/paint.node', MUSL],
  ['of another processor, which esbuild copied', 'paint-4XDNIFGN.node', elf(0x3e)],
])('a file %s does not fit, though others do', (_, path, content) => {
  const files = { [platformPackage('linux-arm64')]: GLIBC, 'codec-2FGHIJKL.node': GLIBC };
  expect(misfit(read({ ...files, [path]: content }), ARM64)?.path).toBe(path);
});
