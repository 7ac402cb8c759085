// npm runs this before `npm pack` and `npm publish` in the repository, whose package.json names
// TypeScript sources: a tarball of it could not be used.
console.error('Pack with `npm run package`, which builds the package in a folder of its own.');
process.exit(1);
