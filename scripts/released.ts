// Writes down the resources of this release, which the next one must be able to update:
// npm run released, when the version is published.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { FanfoldStack } from '../cdk/index.ts';
import { identitiesOf } from '../test/stack/replacement.ts';

const outdir = mkdtempSync(join(tmpdir(), 'fanfold-released-'));
const app = new App({ outdir, context: { 'aws:cdk:bundling-stacks': [] } });
const template = Template.fromStack(new FanfoldStack(app, 'Photos')).toJSON();
const path = join(import.meta.dirname, '../test/stack/released.json');
writeFileSync(path, `${JSON.stringify(identitiesOf(template.Resources), undefined, 2)}\n`);
rmSync(outdir, { recursive: true });
