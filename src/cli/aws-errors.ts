/** What the SDK says in words of its own, before anything is asked of AWS. */
const SENTENCES: readonly [said: RegExp, sentence: string][] = [
  [
    /^Region is missing$/,
    'It is not known which AWS region the stack is in: set AWS_REGION, or name a profile that has a region in AWS_PROFILE.',
  ],
  [
    /^Could not load credentials from any providers$/,
    'There are no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, as for the AWS CLI.',
  ],
];

/** What an error says to a person. */
export function sentenceOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return SENTENCES.find(([said]) => said.test(message))?.[1] ?? message;
}
