/** `unknown`: the check could not be made, for example because a permission is missing. */
export type Level = 'ok' | 'warning' | 'problem' | 'unknown';

/** The result of one check. */
export interface Finding {
  level: Level;
  /** One sentence. */
  says: string;
  /** One sentence: the action to take. */
  remedy?: string;
}

/** A check of the subject, which may have several findings. */
export interface Check<Subject> {
  /** One or two words, unique among the checks. */
  title: string;
  run(subject: Subject): Promise<Finding | Finding[]>;
}

export const ok = (says: string): Finding => ({ level: 'ok', says });
export const warning = (says: string, remedy: string): Finding => ({
  level: 'warning',
  says,
  remedy,
});
export const problem = (says: string, remedy: string): Finding => ({
  level: 'problem',
  says,
  remedy,
});
export const unknown = (says: string, remedy: string): Finding => ({
  level: 'unknown',
  says,
  remedy,
});

/** A finding with the title of its check. */
export type Titled = Finding & { title: string };

/** Runs checks concurrently. A check that throws has its error as its finding. */
export async function runChecks<Subject>(
  checks: readonly Check<Subject>[],
  subject: Subject,
  findingOf: (error: unknown) => Finding,
): Promise<Titled[]> {
  const found = await Promise.all(
    checks.map(async ({ title, run }) => {
      const findings = await run(subject).catch(findingOf);
      return [findings].flat().map((finding) => ({ title, ...finding }));
    }),
  );
  return found.flat();
}
