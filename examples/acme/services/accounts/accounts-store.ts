import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { createPrng } from '../../people/prng.ts';
import { dateOf, people, SEED, STREAM } from '../../people.ts';
import { applyOnce, type Counts, counted, openStore } from '../sqlite-store.ts';
import { type AccountChanges, accountChanges } from './account-changes.ts';

/** A type and a value that point at a person: here `email` (either one) and `user_id`. */
export interface Identity {
  readonly type: string;
  readonly value: string;
}

export interface StoredRecord {
  readonly collection: string;
  readonly row: Readonly<Record<string, unknown>>;
}

/** Who may sign in to Acme, and where they are signed in. */
export interface AccountsStore {
  recordsOf(identities: readonly Identity[]): StoredRecord[];
  identitiesOf(identities: readonly Identity[]): Identity[];
  countOf(identities: readonly Identity[]): Counts;
  /** Once per key; see `applyOnce`. */
  erase(identities: readonly Identity[], idempotencyKey: string): Counts;
  /** Corrects accounts, and notes choices. */
  readonly changes: AccountChanges;
  close(): void;
}

export interface AccountsOptions {
  readonly file: string;
  readonly people: number;
  readonly fresh?: boolean;
  readonly onProgress?: (done: number) => void;
}

const SCHEMA = `
  create table accounts (
    user_id text primary key,
    -- People write their address in upper and lower case.
    email text not null unique collate nocase,
    -- Where they want news; the mailer knows them by it.
    news_email text unique collate nocase,
    name text not null,
    phone text not null,
    birth_date text not null,
    language text not null,
    password_hash text not null,
    since text not null
  ) strict;
  create table sessions (
    id integer primary key,
    user_id text not null references accounts (user_id),
    ip text not null,
    agent text not null,
    started_at text not null
  ) strict;
  create index sessions_user on sessions (user_id);
`;

const AGENTS = ['Firefox/149.0', 'Safari/19.1', 'Acme for Android/4.2'] as const;
const PROGRESS_PEOPLE = 10_000;

export function openAccounts(options: AccountsOptions): AccountsStore {
  const db = openStore({ ...options, schema: SCHEMA, fill: (empty) => fill(empty, options) });
  const byEmail = db.prepare('select user_id from accounts where email = ? or news_email = ?');
  const byUser = db.prepare('select user_id from accounts where user_id = ?');
  const account = db.prepare(
    'select user_id, email, news_email, name, phone, birth_date, language, since from accounts where user_id = ?',
  );
  const sessions = db.prepare('select ip, agent, started_at from sessions where user_id = ? order by id');
  const deleteSessions = db.prepare('delete from sessions where user_id = ?');
  const deleteAccount = db.prepare('delete from accounts where user_id = ?');

  const usersOf = (identities: readonly Identity[]): string[] => {
    const rows = identities.flatMap(({ type, value }) => {
      if (type === 'email') return byEmail.all(value, value);
      return type === 'user_id' ? byUser.all(value) : [];
    });
    return [...new Set(rows.map((row) => String(row.user_id)))].sort();
  };

  return {
    recordsOf: (identities) =>
      usersOf(identities).flatMap((user) => [
        ...account.all(user).map((row) => ({ collection: 'accounts', row })),
        ...sessions.all(user).map((row) => ({ collection: 'sessions', row })),
      ]),
    identitiesOf: (identities) => usersOf(identities).flatMap((user) => account.all(user).flatMap(identify)),
    countOf: (identities) => {
      const users = usersOf(identities);
      const total = users.reduce((sum, user) => sum + sessions.all(user).length, 0);
      return counted({ accounts: users.length, sessions: total });
    },
    erase: (identities, idempotencyKey) =>
      applyOnce(db, {
        idempotencyKey,
        kind: 'delete',
        work: () => {
          const counts = { accounts: 0, sessions: 0 };
          for (const user of usersOf(identities)) {
            counts.sessions += Number(deleteSessions.run(user).changes);
            counts.accounts += Number(deleteAccount.run(user).changes);
          }
          return counted(counts);
        },
      }),
    changes: accountChanges(db, usersOf),
    close: () => db.close(),
  };
}

function identify(row: Record<string, SQLOutputValue>): Identity[] {
  const all = [
    { type: 'user_id', value: row.user_id },
    { type: 'email', value: row.email },
    { type: 'email', value: row.news_email },
  ];
  return all.flatMap(({ type, value }) => (typeof value === 'string' ? [{ type, value }] : []));
}

function fill(db: DatabaseSync, options: AccountsOptions): void {
  const account = db.prepare('insert into accounts values (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const session = db.prepare('insert into sessions (user_id, ip, agent, started_at) values (?, ?, ?, ?)');
  for (const who of people(options.people)) {
    const prng = createPrng(SEED, STREAM.account, who.n);
    const hash = `scrypt$${prng.int(2 ** 32).toString(16)}$${prng.int(2 ** 32).toString(16)}`;
    account.run(
      who.userId,
      who.email,
      who.newsEmail ?? null,
      who.name,
      who.phone,
      who.birthDate,
      who.language,
      hash,
      who.since,
    );
    for (let k = 0, count = prng.int(4); k < count; k += 1) {
      session.run(who.userId, who.ip, prng.pick(AGENTS), dateOf(Date.UTC(2026, 0, 1), prng.int(180)));
    }
    if ((who.n + 1) % PROGRESS_PEOPLE === 0) options.onProgress?.(who.n + 1);
  }
}
