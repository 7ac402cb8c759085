// npm runs this before `npm pack` and `npm publish` in the repository, whose package.json names
// TypeScript sources: a tarball of it could not be used.
console.error('Use `npm run package` to pack: it builds the package in a separate folder.');
process.exit(1);
