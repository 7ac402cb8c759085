// `npm run docs`: the API reference, from the doc comments of the package's entry points.
// TypeDoc 0.28 supports TypeScript up to 6.0, so the script in package.json gives it one of its own.
import pkg from './package.json' with { type: 'json' };

export default {
  name: 'Fanfold',
  entryPoints: Object.values(pkg.exports)
    .map((target) => target.default)
    .filter((path) => path.endsWith('.ts')),
  tsconfig: 'tsconfig.build.json',
  out: 'docs/api',
  readme: 'none',
  excludePrivate: true,
  // Types that only appear in signatures are written out there.
  validation: { notExported: false },
};
