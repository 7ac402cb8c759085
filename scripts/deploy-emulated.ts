// `npm run deploy:emulated`: `cdk bootstrap`, `cdk deploy` and `cdk destroy` of this repository's
// app against moto's server, an AWS that others wrote. It needs Python 3.10 and, the first time,
// PyPI. Exit status: 0 all is proven, 1 something is not, 2 it could not be tried.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../test/cli/command.ts';
import { installedMoto, lastLine, MOTO_VERSION, NoMoto } from './moto.ts';

/** Some 320 MB. */
const MOTO = `moto[server]==${MOTO_VERSION}`;
const ROOT = join(import.meta.dirname, '..');
const STACK = 'Emulated';
const ACCOUNT = '123456789012';
const REGION = 'us-east-1';

/** Types that moto's CloudFormation skips with a warning, so this proves nothing about them. */
const NOT_IN_MOTO = new Set([
  'AWS::CloudWatch::Alarm',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::Permission',
  'AWS::S3::BucketPolicy',
  'AWS::SQS::QueuePolicy',
]);

const run = promisify(execFile);

async function main(): Promise<void> {
  const python = await moto();
  const folder = mkdtempSync(join(tmpdir(), 'fanfold-emulated-'));
  let server: ChildProcess | undefined;
  // Runs however this process ends, unless it is killed.
  process.once('exit', () => {
    server?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const port = await freePort();
  server = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore',
  });
  await untilAnswered(`http://127.0.0.1:${port}/moto-api/`, server);
  const env = environment(port, folder);
  const cdk = (...args: string[]) =>
    visibly(
      'node_modules/.bin/cdk',
      [...args, '--ci', '--output', join(folder, 'out'), '-c', `name=${STACK}`],
      env,
    );

  await cdk('bootstrap', `aws://${ACCOUNT}/${REGION}`);
  await cdk('deploy', '--require-approval', 'never', '-c', 'tasks=functions/tasks/index.ts');
  const proven = [await resourcesAreThere(python, env, join(folder, 'out'))];
  proven.push(await doctorFindsNoProblem(env));
  await cdk('destroy', '--force');
  proven.push(await nothingIsLeft(python, env));
  console.log(`\nProven by ${MOTO} with the pinned aws-cdk:`);
  for (const sentence of proven) console.log(`- ${sentence}`);
}

/** Keeps moto in the user's cache between runs. */
function moto(): Promise<string> {
  const { XDG_CACHE_HOME: named = '' } = process.env;
  const homes = [homedir(), userInfo().homedir].map((home) => join(home, '.cache'));
  const cache = [named, ...homes].find(isAbsolute) ?? tmpdir();
  return installedMoto(join(cache, 'fanfold', MOTO.replace(/\W+/g, '-')), [MOTO]);
}

async function untilAnswered(url: string, server: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 150; tries++) {
    if (server.exitCode !== null) break;
    if (
      await fetch(url).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new NoMoto('moto did not start within 30 s.');
}

/** Environment without the user's own AWS settings: no call may reach a real account. */
function environment(port: number, home: string): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !/^(AWS|CDK)_/.test(name));
  return {
    ...Object.fromEntries(others),
    // The CDK caches there which account the credentials belong to.
    HOME: home,
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    // moto finds the bucket in a template's URL only if the host is localhost.
    AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION: `http://localhost:${port}`,
    CDK_S3_FORCE_PATH_STYLE: '1',
    AWS_ACCESS_KEY_ID: 'emulated',
    AWS_SECRET_ACCESS_KEY: 'emulated',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_REGION: REGION,
    // For boto3, which does not read AWS_REGION.
    AWS_DEFAULT_REGION: REGION,
    CDK_DEFAULT_REGION: REGION,
    NO_COLOR: '1',
  };
}

/** Runs a program and shows its output. */
async function visibly(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  console.log(`\n$ ${[program, ...args].join(' ')}`);
  const child = spawn(process.execPath, [program, ...args], { cwd: ROOT, env, stdio: 'inherit' });
  const [status] = await once(child, 'close');
  if (status !== 0) throw new Error(`${program} ${args[0]} ended with status ${status}.`);
}

/** Calls the emulator with boto3, a client that others wrote as well; returns the printed JSON. */
async function boto<Answer>(python: string, env: NodeJS.ProcessEnv, code: string): Promise<Answer> {
  const asked = run(python, ['-c', `import boto3, json\n${code}`], { env });
  const { stdout } = await asked.catch((error: unknown) => {
    throw new Error(`A boto3 call to moto failed: ${lastLine(error)}`);
  });
  return JSON.parse(stdout) as Answer;
}

interface Template {
  Resources: Record<string, { Type: string }>;
}

async function resourcesAreThere(
  python: string,
  env: NodeJS.ProcessEnv,
  assembly: string,
): Promise<string> {
  const text = readFileSync(join(assembly, `${STACK}.template.json`), 'utf8');
  const expected = Object.entries((JSON.parse(text) as Template).Resources);
  const made = await boto<string[]>(
    python,
    env,
    `found = boto3.client('cloudformation').describe_stack_resources(StackName='${STACK}')
print(json.dumps([r['LogicalResourceId'] for r in found['StackResources'] if r.get('PhysicalResourceId')]))`,
  );
  const missing = expected.filter(([id]) => !made.includes(id));
  const wrong = missing.filter(([, { Type }]) => !NOT_IN_MOTO.has(Type));
  if (wrong.length > 0) {
    throw new Error(`Not created: ${wrong.map(([id, { Type }]) => `${id} (${Type})`).join(', ')}`);
  }
  const skipped = [...new Set(missing.map(([, { Type }]) => Type))].sort();
  return `${expected.length - missing.length} of ${expected.length} resources exist after \`cdk deploy\`; moto does not support ${skipped.join(', ')} (${missing.length} resources).`;
}

interface Findings {
  state: string;
  findings: { title: string; level: string; says: string; remedy?: string }[];
}

async function doctorFindsNoProblem(env: NodeJS.ProcessEnv): Promise<string> {
  const args = ['bin/fanfold.js', 'doctor', '--stack', STACK, '--tasks', 'fanfold/tasks', '--json'];
  const { stdout } = await run(process.execPath, args, { cwd: ROOT, env }).catch(
    (error: { stdout: string }) => error,
  );
  const { state, findings } = JSON.parse(stdout) as Findings;
  console.log('');
  for (const { level, title, says } of findings) console.log(`${level}\t${title}\t${says}`);
  const problems = findings.filter(({ level }) => level === 'problem');
  if (state !== 'deployed' || problems.length > 0) {
    throw new Error(`fanfold doctor finds ${problems.length} problems; the stack is ${state}.`);
  }
  const count = (wanted: string) => findings.filter(({ level }) => level === wanted).length;
  return `\`fanfold doctor\` finds the stack deployed: ${count('ok')} ok, ${count('warning')} warnings, no problem, ${count('unknown')} unknown (moto does not support those calls, and runs no functions).`;
}

async function nothingIsLeft(python: string, env: NodeJS.ProcessEnv): Promise<string> {
  const left = await boto<string[]>(
    python,
    env,
    `queues = boto3.client('sqs').list_queues(QueueNamePrefix='${STACK}-').get('QueueUrls', [])
functions = [f['FunctionName'] for f in boto3.client('lambda').list_functions()['Functions']]
roles = [r['RoleName'] for r in boto3.client('iam').list_roles()['Roles'] if r['RoleName'].startswith('${STACK}-')]
print(json.dumps(queues + functions + roles))`,
  );
  if (left.length > 0) throw new Error(`\`cdk destroy\` did not delete ${left.join(', ')}.`);
  return '`cdk destroy` deleted all queues, functions and roles.';
}

try {
  await main();
  process.exit(0);
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}`);
  process.exit(error instanceof NoMoto ? 2 : 1);
}
