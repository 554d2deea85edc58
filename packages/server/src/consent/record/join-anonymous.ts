import { sql } from 'kysely';
import type { Identity } from '../../catalog/index.ts';
import type { Database } from '../../foundation/index.ts';
import { readBits } from '../purposes/index.ts';
import { historyOf } from './history.ts';
import { type RecordOptions, recordSignals, takeTurn } from './record-signals.ts';
import type { Signal } from './signal.ts';

export interface JoinOptions extends RecordOptions {
  /** The random id of a browser. */
  readonly anonymous: Identity;
  /** Who signed in with it. */
  readonly person: Identity;
}

/**
 * Makes what a browser said before somebody signed in part of what this person said, in the caller's transaction; done again, it adds what is
 * new. A random id becomes that of the first person who signs in with it, also where nothing was said under it yet: who uses the same
 * browser later gets none of it. What the browser says by itself (Global Privacy Control) is not theirs: it is said again for whom it is
 * used. Tells how many signals were added.
 */
export async function joinAnonymous(transaction: Database, options: JoinOptions): Promise<number> {
  const { organizationId, subjects, anonymous, person, now } = options;
  await takeTurn(transaction, organizationId);
  const { numbers } = await subjects.number(transaction, subjects.prepare([anonymous, person]));
  const [from, subject] = numbers as [number, number];
  const { rows: joined } = await sql<{ subject: number }>`
    insert into consent_joins as j (organization_id, anonymous, subject, joined_at)
    values (${organizationId}, ${from}, ${subject}, ${now})
    on conflict (organization_id, anonymous) do update set joined_at = j.joined_at
    returning subject`.execute(transaction);
  if (joined[0]?.subject !== subject) return 0;
  // What was said of a purpose that is newer than this process is joined, too: it would not be joined again.
  const purposes = await readBits(transaction, organizationId);
  const said = await historyOf(transaction, { organizationId, subject: from, purposes });
  const known = new Set(
    (await historyOf(transaction, { organizationId, subject, purposes })).map((one) => one.eventId),
  );
  const signals = said.flatMap(({ eventId, saidAt, choices, source, notice }): Signal[] =>
    source === 'gpc' || source === 'anonymous' || known.has(`joined:${eventId}`)
      ? []
      : [
          {
            eventId: `joined:${eventId}`,
            identity: person,
            saidAt,
            choices,
            source: 'anonymous',
            ...(notice === null ? {} : { notice }),
          },
        ],
  );
  const outcomes = await recordSignals(transaction, signals, { ...options, purposes });
  return outcomes.filter((outcome) => outcome === 'stored').length;
}
