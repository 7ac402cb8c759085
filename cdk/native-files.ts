import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** A platform in npm's terms: https://docs.npmjs.com/cli/v11/configuring-npm/package-json#os */
export interface Platform {
  os: string;
  cpu: string;
  /** `glibc` or `musl`, on Linux. */
  libc?: string | undefined;
}

/** A `*.node` file below a folder. */
export interface NativeFile {
  /** Path from that folder, with `/`. */
  path: string;
  /** The platform it is built for; undefined if its format is unknown. */
  platform: Platform | undefined;
}

export function nativeFiles(folder: string): NativeFile[] {
  const isNative = (entry: Dirent) => entry.isFile() && entry.name.endsWith('.node');
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(isNative)
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return {
        path: relative(folder, path).split(sep).join('/'),
        platform: platformOf(readFileSync(path)),
      };
    });
}

/**
 * Finds the first file which shows that a package was installed for another platform. A package may
 * ship builds for many platforms, and npm may install a musl build beside the glibc one: both are
 * harmless if the right build exists too.
 */
export function misfit(files: readonly NativeFile[], target: Platform): NativeFile | undefined {
  const fitting = files.filter(({ platform }) => platform && fits(platform, target));
  const packages = new Set(fitting.map(({ path }) => packageOf(path)));
  const families = new Set(fitting.map(({ path }) => familyOf(path)));
  return files.find((file) => {
    const { path, platform } = file;
    if (packageOf(path) === undefined) return !fitting.includes(file);
    if (packages.has(packageOf(path))) return false;
    const differsInLibc = platform && fits({ ...platform, libc: target.libc }, target);
    return !(differsInLibc && families.has(familyOf(path)));
  });
}

export function fits({ os, cpu, libc }: Platform, target: Platform): boolean {
  return os === target.os && cpu === target.cpu && libc === target.libc;
}

/** Name of a file's package; undefined outside `node_modules`. */
export function packageOf(path: string): string | undefined {
  return /(?:^|.*[\\/])node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(path)?.[1];
}

/** `@img/sharp` for both `@img/sharp-linux-x64` and `@img/sharp-linuxmusl-x64`. */
function familyOf(path: string): string | undefined {
  return packageOf(path)?.split('-linux')[0];
}

/** `linux-arm64-glibc` */
export function shownPlatform({ os, cpu, libc }: Platform): string {
  return [os, cpu, libc].filter(Boolean).join('-');
}

function platformOf(file: Buffer): Platform | undefined {
  if (file.length < 64) return undefined;
  return elf(file) ?? machO(file) ?? portableExecutable(file);
}

/** https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html */
const ELF_MACHINES = new Map([
  [0x03, 'ia32'],
  [0x15, 'ppc64'],
  [0x16, 's390x'],
  [0x28, 'arm'],
  [0x3e, 'x64'],
  [0xb7, 'arm64'],
  [0xf3, 'riscv64'],
]);

function elf(file: Buffer): Platform | undefined {
  if (!file.subarray(0, 4).equals(Buffer.from('\x7fELF', 'latin1'))) return undefined;
  const [bits, order, abi] = [file[4], file[5], file[7]];
  const machine = order === 2 ? file.readUInt16BE(18) : file.readUInt16LE(18);
  const cpu = ELF_MACHINES.get(machine) ?? `ELF machine ${machine}`;
  // An ILP32 build uses another ABI of the same processor.
  const narrow = bits === 1 && (cpu === 'x64' || cpu === 'arm64') ? '-32' : '';
  if (abi === 9) return { os: 'freebsd', cpu: cpu + narrow };
  return { os: 'linux', cpu: cpu + narrow, libc: libcOf(file) };
}

/** Detects the C library by its name in the file's string table. */
function libcOf(file: Buffer): string {
  if (file.includes('\0libc.musl-')) return 'musl';
  // Also the name in Android builds, and in musl builds by clang.
  return file.includes('\0libc.so\0') && !file.includes('\0libc.so.6\0') ? 'musl' : 'glibc';
}

/** https://github.com/apple-oss-distributions/xnu/blob/main/osfmk/mach/machine.h */
const MACH_CPUS = new Map([
  [0x01000007, 'x64'],
  [0x0100000c, 'arm64'],
]);

function machO(file: Buffer): Platform | undefined {
  const magic = file.readUInt32BE(0);
  if (magic === 0xcafebabe) return { os: 'darwin', cpu: 'universal' };
  if (magic !== 0xcffaedfe && magic !== 0xcefaedfe) return undefined;
  const cpu = file.readUInt32LE(4);
  return { os: 'darwin', cpu: MACH_CPUS.get(cpu) ?? `Mach-O processor ${cpu}` };
}

/** https://learn.microsoft.com/windows/win32/debug/pe-format#machine-types */
const PE_MACHINES = new Map([
  [0x014c, 'ia32'],
  [0x8664, 'x64'],
  [0xaa64, 'arm64'],
]);

function portableExecutable(file: Buffer): Platform | undefined {
  if (file.toString('latin1', 0, 2) !== 'MZ') return undefined;
  const at = file.readUInt32LE(0x3c);
  if (at + 6 > file.length || file.toString('latin1', at, at + 4) !== 'PE\0\0') return undefined;
  const machine = file.readUInt16LE(at + 4);
  return { os: 'win32', cpu: PE_MACHINES.get(machine) ?? `PE machine ${machine}` };
}
