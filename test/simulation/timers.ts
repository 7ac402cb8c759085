import { VirtualClock, VirtualTimer } from '../../src/worlds/planned/clock.ts';
import { type Actor, currentActor } from './actors.ts';

/** A timer belongs to the actor that set it, and fires as that actor, or never if the actor is dead. */
class OwnedTimer extends VirtualTimer {
  readonly owner: Actor = currentActor();

  override get repeats(): boolean {
    return super.repeats && !this.owner.dead;
  }

  override fire(): void {
    if (!this.owner.dead) this.owner.run(() => super.fire());
  }
}

/** The simulation's clock, which each actor reads with the error of its machine's clock. */
export class Timers extends VirtualClock<OwnedTimer> {
  constructor(now: number) {
    super(now, OwnedTimer);
  }

  /** Actors of the timers. */
  owners(): Actor[] {
    return this.timers.map(({ owner }) => owner);
  }

  override install(): void {
    super.install(() => this.now + currentActor().clockOffMs);
  }
}
