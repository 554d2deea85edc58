import { createPrng } from '../../people/prng.ts';
import { dateOf, person, SEED, STREAM } from '../../people.ts';

/** One thing that somebody did on the site, as a line of an event file. */
export interface Event {
  /** RFC 3339. */
  readonly at: string;
  readonly event: string;
  readonly path: string;
  /** null for a visitor who was not signed in. */
  readonly user_id: string | null;
  readonly ip: string | null;
  readonly agent: string;
}

const FIRST_DAY = Date.UTC(2026, 0, 1);
const DAYS = 181;
const KINDS = ['page.viewed', 'search.made', 'basket.filled', 'order.placed'] as const;
const PATHS = ['/', '/lamps', '/clocks?sort=price', '/basket', "/gifts/mother's-day"] as const;
const AGENTS = ['Firefox/149.0', 'Safari/19.1', 'Chrome/151.0'] as const;

/** Months that hold events: one file each. */
export const MONTHS = ['2026-01', '2026-02', '2026-03', '2026-04', '2026-05', '2026-06'] as const;

/** What person `n` did, and sometimes what somebody unknown did beside them. */
export function* eventsOf(n: number): Generator<Event, void, void> {
  const prng = createPrng(SEED, STREAM.events, n);
  const { userId, ip } = person(n);
  for (let k = 0, count = 1 + prng.int(8); k < count; k += 1) {
    const signedIn = k === 0 || prng.chance(90);
    const time = [prng.int(24), prng.int(60), prng.int(60)].map((part) => String(part).padStart(2, '0'));
    yield {
      at: `${dateOf(FIRST_DAY, prng.int(DAYS))}T${time.join(':')}Z`,
      event: prng.pick(KINDS),
      path: prng.pick(PATHS),
      user_id: signedIn ? userId : null,
      ip: signedIn ? ip : null,
      agent: prng.pick(AGENTS),
    };
  }
}
