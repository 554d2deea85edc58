import type { DatabaseSync } from 'node:sqlite';
import { createPrng } from '../../people/prng.ts';
import { dateOf, people, SEED, STREAM } from '../../people.ts';
import { applyOnce, type Counts, counted, openStore } from '../sqlite-store.ts';

export interface StoredRecord {
  readonly collection: string;
  readonly row: Readonly<Record<string, unknown>>;
}

/** Who gets Acme's newsletter, under which e-mail address, and what was sent to them. */
export interface MailerStore {
  recordsOf(emails: readonly string[]): StoredRecord[];
  countOf(emails: readonly string[]): Counts;
  /** Once per key; see `applyOnce`. */
  erase(emails: readonly string[], idempotencyKey: string): Counts;
  close(): void;
}

export interface MailerOptions {
  readonly file: string;
  readonly people: number;
  readonly fresh?: boolean;
  readonly onProgress?: (done: number) => void;
}

const SCHEMA = `
  create table recipients (
    -- People write their address in upper and lower case.
    email text primary key collate nocase,
    name text not null,
    language text not null,
    subscribed integer not null
  ) strict;
  create table campaigns (id integer primary key, subject text not null) strict;
  create table deliveries (
    id integer primary key,
    email text not null collate nocase references recipients (email),
    campaign_id integer not null references campaigns (id),
    sent_at text not null,
    opened_at text
  ) strict;
  create index deliveries_email on deliveries (email);
`;

const SUBJECTS = ['Spring lamps', 'Clocks that tick softly', 'A kettle for two', 'Umbrella week'] as const;
const PROGRESS_PEOPLE = 10_000;

export function openMailer(options: MailerOptions): MailerStore {
  const db = openStore({ ...options, schema: SCHEMA, fill: (empty) => fill(empty, options) });
  const recipient = db.prepare('select email, name, language, subscribed from recipients where email = ?');
  const deliveries = db.prepare(
    `select subject, sent_at, opened_at from deliveries join campaigns on campaigns.id = campaign_id
     where email = ? order by deliveries.id`,
  );
  const deleteDeliveries = db.prepare('delete from deliveries where email = ?');
  const deleteRecipient = db.prepare('delete from recipients where email = ?');
  const recordsOf = (emails: readonly string[]): StoredRecord[] =>
    [...new Set(emails.map((email) => email.toLowerCase()))].flatMap((email) => [
      ...recipient.all(email).map((row) => ({ collection: 'recipients', row })),
      ...deliveries.all(email).map((row) => ({ collection: 'deliveries', row })),
    ]);
  return {
    recordsOf,
    countOf: (emails) => {
      const counts = { recipients: 0, deliveries: 0 };
      for (const { collection } of recordsOf(emails)) counts[collection as keyof typeof counts] += 1;
      return counted(counts);
    },
    erase: (emails, idempotencyKey) =>
      applyOnce(db, {
        idempotencyKey,
        kind: 'delete',
        work: () => {
          const counts = { recipients: 0, deliveries: 0 };
          for (const email of emails) {
            counts.deliveries += Number(deleteDeliveries.run(email).changes);
            counts.recipients += Number(deleteRecipient.run(email).changes);
          }
          return counted(counts);
        },
      }),
    close: () => db.close(),
  };
}

function fill(db: DatabaseSync, options: MailerOptions): void {
  const campaign = db.prepare('insert into campaigns (id, subject) values (?, ?)');
  for (const [id, subject] of SUBJECTS.entries()) campaign.run(id, subject);
  const recipient = db.prepare('insert into recipients values (?, ?, ?, ?)');
  const delivery = db.prepare(
    'insert into deliveries (email, campaign_id, sent_at, opened_at) values (?, ?, ?, ?)',
  );
  for (const who of people(options.people)) {
    const prng = createPrng(SEED, STREAM.mail, who.n);
    const email = who.newsEmail ?? who.email;
    recipient.run(email, who.name, who.language, prng.chance(85) ? 1 : 0);
    for (let id = 0; id < SUBJECTS.length; id += 1) {
      if (!prng.chance(60)) continue;
      const sent = dateOf(Date.UTC(2026, id, 2), 0);
      delivery.run(email, id, sent, prng.chance(40) ? dateOf(Date.parse(sent), prng.int(5)) : null);
    }
    if ((who.n + 1) % PROGRESS_PEOPLE === 0) options.onProgress?.(who.n + 1);
  }
}
