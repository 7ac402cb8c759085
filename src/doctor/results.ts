import type { AwsReader } from './aws.ts';
import { type Check, ok, problem } from './finding.ts';
import type { AccountSubject } from './subject.ts';

/** The variables by which a stack tells the seed where results and payloads go. */
async function variablesOf(reader: AwsReader): Promise<Partial<Record<string, string>>> {
  const { Environment } = (await reader.configuration(reader.names.seed)) ?? {};
  return Environment?.Variables ?? {};
}

/** Checks that results can be written to S3, unless the stack is deployed without that. */
export const collector: Check<AccountSubject> = {
  title: 'results in S3',
  async run({ reader }) {
    const { FANFOLD_RESULT_PLACES } = await variablesOf(reader);
    if (FANFOLD_RESULT_PLACES === undefined) return [];
    const name = reader.names.collector;
    if ((await reader.configuration(name)) !== undefined) {
      return ok(`${name} writes results to S3.`);
    }
    return problem(
      `The deployment lacks ${name}, which writes results to S3: runs with results in S3 do not begin.`,
      'A stack cannot recreate what was deleted by hand: deploy once with s3Results: false (-c s3Results=false), then without it.',
    );
  },
};

/** Checks that the bucket for results and payloads exists. A stack of an older version has none. */
export const bucket: Check<AccountSubject> = {
  title: 'bucket',
  async run({ reader }) {
    const { FANFOLD_BUCKET: name } = await variablesOf(reader);
    if (name === undefined) return [];
    if (await reader.hasBucket(name)) return ok(`The bucket ${name} exists.`);
    return problem(
      `The bucket ${name} does not exist: results in S3, and inputs and outputs that do not fit in a message, fail.`,
      'Create it again with this name, or deploy with another one: bucket (-c bucket=NAME).',
    );
  },
};
