import { sql } from 'kysely';
import type pg from 'pg';
import {
  assignBits,
  consentMigrations,
  createSubjects,
  recordSignals,
  type syncTarget,
  targetMigrations,
} from '../../src/consent/index.ts';
import { newSecretKey } from '../../src/foundation/index.ts';
import { createTestDatabase } from '../database.ts';

export const PURPOSES = [
  { code: 'analytics', optOut: false },
  { code: 'advertising', optOut: true },
  { code: 'fraud', optOut: true },
] as const;

export const PEOPLE = 12;
const ORGANIZATION = 'acme';

/** What people can be named by. A person is one of each type, and says something under each by itself. */
export const TYPES = ['user_id', 'email', 'customer', 'account'] as const;
export type PersonType = (typeof TYPES)[number];

/** An identity as Habeas stores it. */
export function identityOf(type: PersonType, person: number): string {
  if (type === 'email') return `person.${person}@example.org`;
  if (type === 'account') return person % 3 === 0 ? `k-${person}` : `k\u00f6\u1e69-${person}`;
  return type === 'customer' ? String(person * 1_700) : `u-${person}`;
}

export interface Said {
  readonly type: PersonType;
  readonly person: number;
  readonly choices: Readonly<Record<string, boolean>>;
  /** Instead of that of the person. */
  readonly identity?: string;
}

/** A Habeas that people tell what they agree to. */
export interface TalkingHouse extends AsyncDisposable {
  readonly organizationId: string;
  /** Its database. */
  readonly source: pg.Pool;
  readonly openValue: Parameters<typeof syncTarget>[0]['openValue'];
  /** Stores what somebody said; `beforeCommit` runs when it is written and nobody sees it yet. */
  say(choices: readonly Said[], beforeCommit?: () => Promise<void>): Promise<void>;
  /** Places, among all that was said, of what had been committed in a snapshot of Habeas' database. */
  committedIn(snapshot: string): Promise<readonly number[]>;
}

export async function openTalkingHouse(): Promise<TalkingHouse> {
  const habeas = await createTestDatabase({ ...consentMigrations, ...targetMigrations });
  const purposes = await assignBits(habeas.db, ORGANIZATION, ['unused', ...PURPOSES.map(({ code }) => code)]);
  const subjects = createSubjects({ organizationId: ORGANIZATION, masterKey: newSecretKey() });
  let spoken = 0;
  // Rows of signals may be a subtransaction's, whose number no snapshot names.
  await habeas.pool.query(
    'create table spoken_in (place integer primary key, xid xid8 not null default pg_current_xact_id())',
  );
  return {
    organizationId: ORGANIZATION,
    source: habeas.pool,
    openValue: subjects.openValue,
    async say(given, beforeCommit) {
      const first = spoken;
      const signals = given.map(({ type, person, choices, identity }) => {
        spoken += 1;
        return {
          eventId: `e${spoken}`,
          identity: { type, value: identity ?? identityOf(type, person) },
          saidAt: new Date(Date.UTC(2026, 0, 1) + spoken),
          choices,
          source: 'api',
        };
      });
      const options = { organizationId: ORGANIZATION, subjects, purposes, now: new Date('2026-06-01') };
      await habeas.db.transaction().execute(async (transaction) => {
        await recordSignals(transaction, signals, options);
        await sql`insert into spoken_in (place) select generate_series(${first}::integer, ${first + given.length - 1}::integer)`.execute(
          transaction,
        );
        await beforeCommit?.();
      });
    },
    async committedIn(snapshot) {
      const { rows } = await habeas.pool.query<{ place: number }>(
        'select place from spoken_in where pg_visible_in_snapshot(xid, $1::pg_snapshot)',
        [snapshot],
      );
      return rows.map(({ place }) => place);
    },
    [Symbol.asyncDispose]: () => habeas.close(),
  };
}
