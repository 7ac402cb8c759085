import type { Actor } from './actors.ts';
import type { Faults } from './faults.ts';

/** A minute, an hour, a day. */
const UNITS_MS = [60_000, 3_600_000, 86_400_000];

/** Maximum error of a clock, in its unit. */
const MOST = 30;

/** May set the clock of a process's machine wrong, if the machine is the user's own. */
export function maySetClock(actor: Actor, faults: Faults): void {
  if (!faults.hits('wrongClock')) return;
  const { random } = faults;
  const unit = UNITS_MS[random.whole(0, UNITS_MS.length - 1)] ?? 0;
  actor.clockOffMs = random.whole(-MOST, MOST) * unit + random.whole(0, 999);
}
