/**
 * Characters that can act on a terminal or reorder what it shows: C0 and C1 controls, which begin
 * every escape sequence, line separators, and bidirectional controls (https://trojansource.codes).
 */
const ACTING = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * A text from elsewhere (a file name, an error message, a queue's tag) on one line that a terminal
 * only shows: characters that act become visible escapes, such as `\x1b` and `\u202e`.
 */
export function printable(text: string): string {
  return text.replace(ACTING, (character) => NAMED[character] ?? escapeOf(character));
}

function escapeOf(character: string): string {
  const code = character.charCodeAt(0);
  const hex = code.toString(16);
  return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`;
}

/** JSON lines of the same values whose strings a terminal only shows. */
export function printableJsonLines(lines: string): string {
  return lines.replace(ACTING, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const COLOURED = new RegExp(`(\u001b\\[[\\d;:]*m)|(?![\n\t])${ACTING.source}`, 'gu');

/** What a program printed, as lines that a terminal only shows: of what acts, colours alone stay. */
export function printableLines(text: string): string {
  const lines = text.replace(/\r\n?/g, '\n');
  const shown = lines.replace(COLOURED, (found, colour?: string) => colour ?? escapeOf(found));
  return shown.includes('\u001b') ? `${shown}\u001b[0m` : shown;
}

const BYTE = /[^ -~]/gu;

/** An argument as a shell reads it, without a character that acts on a terminal. */
export function shellWord(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  if (printable(text) === text) return `'${text.replaceAll("'", "'\\''")}'`;
  const bytes = (character: string) =>
    Array.from(Buffer.from(character), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  // Of bash, zsh, ksh, and of POSIX since 2024.
  return `$'${text.replace(/[\\']/g, '\\$&').replace(BYTE, bytes)}'`;
}
