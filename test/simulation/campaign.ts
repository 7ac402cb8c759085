import fc from 'fast-check';
import { warmUp } from './clients.ts';
import { boundedScenario, type Scenario, scenario, storedScenario } from './scenario.ts';
import { type Outcome, simulate } from './simulate.ts';

/** Kinds of scenarios, each with a generator of its own. */
export const KINDS = { plain: scenario, bounds: boundedScenario, stored: storedScenario };

export interface CampaignOptions {
  seed: number;
  runs: number;
  /** The kind of scenarios. */
  kind: keyof typeof KINDS;
  /** Path of one scenario in fast-check's search, to replay it. */
  path?: string;
  /** Time limit for the search for a smaller failing scenario, in seconds. */
  shrinkSeconds: number;
  /** Called with each simulated scenario, except those that shrink a failed one. */
  onOutcome?: (outcome: Outcome) => void;
}

/** The smallest failing scenario found. */
export interface Found {
  scenario: Scenario;
  message: string;
  seed: number;
  path: string;
}

/** Simulates scenarios until one fails, and shrinks that. */
export async function campaign(options: CampaignOptions): Promise<Found | undefined> {
  const { seed, runs, kind, path, shrinkSeconds, onOutcome } = options;
  await warmUp();
  const property = fc.asyncProperty(KINDS[kind], async (one) => {
    // After one that passes at the end of a path, fast-check tries all that are beside it.
    if (performance.now() > shrinkUntil || (path !== undefined && simulated > 0)) return;
    simulated++;
    const outcome = await simulate(one);
    if (shrinkUntil === Number.POSITIVE_INFINITY) onOutcome?.(outcome);
    if (outcome.failure === undefined) return;
    if (shrinkUntil === Number.POSITIVE_INFINITY) {
      shrinkUntil = performance.now() + shrinkSeconds * 1000;
    }
    throw new Error(`${outcome.failure.kind}: ${outcome.failure.message}`);
  });
  let shrinkUntil = Number.POSITIVE_INFINITY;
  let simulated = 0;
  const details = await fc.check(property, {
    seed,
    ...(path === undefined ? { numRuns: runs } : { numRuns: 1, path, endOnFailure: true }),
  });
  if (!details.failed) return undefined;
  const [one] = details.counterexample ?? [];
  return {
    scenario: one as Scenario,
    message: details.errorInstance instanceof Error ? details.errorInstance.message : '',
    seed: details.seed,
    path: details.counterexamplePath ?? '',
  };
}
