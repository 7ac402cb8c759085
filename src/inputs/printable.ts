/**
 * Characters that can control a terminal or reorder its text: C0 and C1 controls, which begin every
 * escape sequence, line separators, and bidirectional controls (https://trojansource.codes).
 */
const ACTING = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Makes a text from elsewhere (a file name, an error message, a queue's tag) safe to print, on one
 * line. Characters that control a terminal become visible escapes, such as `\x1b` and `\u202e`.
 */
export function printable(text: string): string {
  return text.replace(ACTING, (character) => NAMED[character] ?? escapeOf(character));
}

function escapeOf(character: string): string {
  const code = character.charCodeAt(0);
  const hex = code.toString(16);
  return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`;
}

/** JSON lines with the same values, safe to print on a terminal. */
export function printableJsonLines(lines: string): string {
  return lines.replace(ACTING, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const COLOURED = new RegExp(`(\u001b\\[[\\d;:]*m)|(?![\n\t])${ACTING.source}`, 'gu');

/** A program's output as lines that are safe to print: of control sequences, only colours stay. */
export function printableLines(text: string): string {
  const lines = text.replace(/\r\n?/g, '\n');
  const shown = lines.replace(COLOURED, (found, colour?: string) => colour ?? escapeOf(found));
  return shown.includes('\u001b') ? `${shown}\u001b[0m` : shown;
}

const BYTE = /[^ -~]/gu;

/** An argument, quoted for a shell, without characters that control a terminal. */
export function shellWord(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  if (printable(text) === text) return `'${text.replaceAll("'", "'\\''")}'`;
  const bytes = (character: string) =>
    Array.from(Buffer.from(character), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  // Supported by bash, zsh, ksh, and by POSIX since 2024.
  return `$'${text.replace(/[\\']/g, '\\$&').replace(BYTE, bytes)}'`;
}
