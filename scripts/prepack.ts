// Builds the package: dist/ by tsc, and a package.json that points there. Node runs this
// repository's TypeScript as it is, but strips no types below node_modules.
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
execFileSync('npx', ['--no-install', 'tsc', '--project', 'tsconfig.build.json'], {
  stdio: 'inherit',
});

interface Target {
  default: string;
}

const pkg = JSON.parse(readFileSync('package.json', 'utf8')) as {
  exports: Record<string, Target>;
  imports: Record<string, Target>;
};

function built({ default: source }: Target): Record<string, string> {
  if (!source.endsWith('.ts')) return { default: source };
  const path = `./dist/${source.slice('./'.length, -'.ts'.length)}`;
  return { types: `${path}.d.ts`, default: `${path}.js` };
}

// postpack puts it back.
copyFileSync('package.json', 'dist/package.source.json');
for (const targets of [pkg.exports, pkg.imports] as Record<string, object>[]) {
  for (const [name, target] of Object.entries(targets)) targets[name] = built(target as Target);
}
writeFileSync('package.json', `${JSON.stringify(pkg, null, 2)}\n`);
