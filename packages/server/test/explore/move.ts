import type { Event } from '../../src/requests/event.ts';
import type { World } from './world.ts';

export interface Move {
  /** Who does what. */
  readonly by: string;
  readonly next: World;
  readonly wrong?: string;
}

/** An event for the state machine, and what else is different then; where it is refused, only that. */
export interface Attempt {
  readonly by: string;
  readonly event: Event;
  readonly task?: string | undefined;
  /** (Default: nothing) */
  readonly after?: Partial<World>;
  /** Nothing of `after` is true if the event is refused. (Default: false) */
  readonly onlyIfTaken?: boolean;
}
