import { FanfoldError } from '../errors.ts';
import { formatOf } from './extensions.ts';
import { shellWord } from './printable.ts';

/** The source of bytes that are not text. */
export interface Origin {
  /** Its name in messages. */
  readonly name: string;
  /** Path of a file, as it was given. */
  readonly path?: string;
}

/** Number of a source's first bytes from which its kind is recognized. */
export const HEAD_BYTES = 512;

interface Kind {
  what: string;
  /** The command that converts it to text, if there is one. */
  filter?: string;
  /** Another remedy. */
  advice?: string;
  is: (head: Buffer, name: string) => boolean;
}

const begins = (...bytes: number[]) => {
  const magic = Buffer.from(bytes);
  return (head: Buffer) => head.subarray(0, magic.length).equals(magic);
};

const says = (magic: string) => (head: Buffer) =>
  head.subarray(0, magic.length).equals(Buffer.from(magic, 'latin1')) && hasControls(head);

const isZip = says('PK\u0003\u0004');

const iconv = (charset: string) => `iconv -f ${charset} -t UTF-8`;

const OFFICE_PARTS =
  /\[Content_Types\]|_rels\/|docProps\/|(xl|word|ppt)\/|opendocument|Index\/.*\.iwa/;
const OFFICE_NAMES = /\.(xl(sx|sm|sb|tx)|od[stp]|doc[xm]|ppt[xm]|numbers)$/i;
const SAVE_AS_CSV =
  'Open it in Excel, LibreOffice or a similar program, save the sheet as CSV in UTF-8 with commas between the fields, and use that file.';

/** Kinds by their first bytes, as in the `file` command's database. */
const KINDS: readonly Kind[] = [
  { what: 'compressed by gzip', filter: 'gunzip -c', is: begins(0x1f, 0x8b) },
  { what: 'compressed by zstd', filter: 'zstd -dc', is: begins(0x28, 0xb5, 0x2f, 0xfd) },
  { what: 'compressed by xz', filter: 'xz -dc', is: begins(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0) },
  { what: 'compressed by bzip2', filter: 'bzip2 -dc', is: says('BZh') },
  {
    what: 'a spreadsheet or another Office document',
    advice: SAVE_AS_CSV,
    // By the name too: programs write the parts of a document in any order.
    is: (head, name) =>
      isZip(head) && (OFFICE_PARTS.test(head.toString('latin1')) || OFFICE_NAMES.test(name)),
  },
  { what: 'a zip archive', filter: 'unzip -p', is: isZip },
  {
    what: 'an old Office document, such as .xls',
    advice: SAVE_AS_CSV,
    is: begins(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1),
  },
  {
    what: 'Parquet',
    advice: `Convert it to JSON lines first, for example with DuckDB: COPY (FROM 'FILE.parquet') TO 'FILE.jsonl'`,
    is: says('PAR1'),
  },
  { what: 'UTF-32', filter: iconv('UTF-32LE'), is: begins(0xff, 0xfe, 0, 0) },
  { what: 'UTF-32', filter: iconv('UTF-32BE'), is: begins(0, 0, 0xfe, 0xff) },
  { what: 'UTF-16', filter: iconv('UTF-16LE'), is: (head) => isUtf16(head, 'utf-16le') },
  { what: 'UTF-16', filter: iconv('UTF-16BE'), is: (head) => isUtf16(head, 'utf-16be') },
];

/** The error for a source that is not UTF-8; undefined if its first bytes show no known kind. */
export function foreign(head: Buffer, origin: Origin): FanfoldError | undefined {
  const kind = KINDS.find(({ is }) => is(head, origin.path ?? origin.name));
  if (kind === undefined) return undefined;
  const { what, filter, advice = '' } = kind;
  const remedy = filter === undefined ? advice : `Convert it with: ${conversion(filter, origin)}`;
  return new FanfoldError(
    'BadInput',
    `${origin.name}: expected UTF-8 text; this is ${what}. ${remedy}`,
  );
}

/** The shell command that converts a file, or piped data, into a readable form. */
export function conversion(filter: string, { path }: Origin): string {
  if (path === undefined) return filter;
  const reads = /^(tr|python3) /.test(filter) ? `${filter} <` : filter;
  const plain = path.replace(/\.(gz|zst|xz|bz2|zip)$/i, '');
  const format = formatOf(plain);
  const command = `${reads} ${shellWord(path)}`;
  if (format !== 'csv' && format !== 'text') return `${command} | fanfold run TASK --input -`;
  const made = plain === path ? path.replace(/(\.[^.]*)$/, '.converted$1') : plain;
  return `${command} > ${shellWord(made)}`;
}

const CONTROLS = /[^\t\r\n\P{Cc}]/u;

function hasControls(head: Buffer): boolean {
  return CONTROLS.test(head.toString('latin1'));
}

/** Recognized by its byte order mark, or by whether the bytes decode to text. */
function isUtf16(head: Buffer, encoding: 'utf-16le' | 'utf-16be'): boolean {
  const [first, second] = head;
  const isLittle = encoding === 'utf-16le';
  if (first === 0xff && second === 0xfe) return isLittle;
  if (first === 0xfe && second === 0xff) return !isLittle;
  // A line that ends in the middle of a line feed has half a character more.
  const whole = head.subarray(0, head.length - (head.length % 2));
  const high = whole.filter((_, at) => (at % 2 === 1) === isLittle);
  const zeros = high.filter((byte) => byte === 0).length;
  // Latin text has a zero in each character; other text has one at least at the end of a line.
  const isAscii = head.every((byte) => byte < 0x80);
  if (zeros === 0 || (isAscii && zeros <= high.length / 2)) return false;
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(whole, { stream: true });
    return (
      !CONTROLS.test(text) && (!isAscii || count(text, '\n') === count(whole.toString(), '\n'))
    );
  } catch {
    return false;
  }
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}
