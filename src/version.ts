/**
 * This package's version. It is a constant, since a function's bundle on Lambda has no package.json
 * to read; a test compares it with package.json.
 */
export const VERSION = '0.1.0';
