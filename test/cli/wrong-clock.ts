import { writeFileSync } from 'node:fs';

/**
 * Environment of a machine whose clock is off by the milliseconds in a file, and can be
 * set anew while its processes run.
 */
export function wrongClock(file: string, offMs: number) {
  const set = (ms: number) => writeFileSync(file, String(ms));
  set(offMs);
  const code = `
    import { readFileSync } from 'node:fs';
    const read = () => Number(readFileSync(${JSON.stringify(file)}, 'utf8'));
    const Real = Date;
    let off = read();
    // While it is written, it may be empty.
    setInterval(() => { off = read() || off; }, 20).unref();
    globalThis.Date = class extends Real {
      constructor(...args) { super(...(args.length > 0 ? args : [Real.now() + off])); }
      static now() { return Real.now() + off; }
    };`;
  const url = `data:text/javascript,${encodeURIComponent(code)}`;
  return { set, env: { NODE_OPTIONS: `--import=${url}` } };
}
