/** Clearer texts for system errors, by code. */
const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission is denied',
  EISDIR: 'it is a folder',
  EMFILE: 'this process has too many files open. Raise the limit first, with: ulimit -n 1024',
  ENFILE: 'all processes together have too many files open',
};

/** Explains why the system could not open or read a file. */
export function reasonOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? message;
}
