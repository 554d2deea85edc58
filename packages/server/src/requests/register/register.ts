import { createHmac } from 'node:crypto';
import { sql } from 'kysely';
import type { Flag, Identity } from '../../catalog/index.ts';
import { type Clock, type Database, deriveKey, type SecretKey } from '../../foundation/index.ts';

/** What the data of a person may not be used for. */
export interface ProcessingChoices {
  /** GDPR article 18: stored, and not used otherwise. */
  readonly restricted: boolean;
  /** Purposes that the person objected to, sorted; one covers what is below it. */
  readonly objections: readonly string[];
  readonly optedOutOfSale: boolean;
  readonly sensitiveDataLimited: boolean;
}

/** A choice as a request makes or takes it back. */
export interface Choice {
  readonly flag: Flag;
  /** Of an objection; empty for the others. */
  readonly purposes: readonly string[];
}

export interface RegisterScope {
  readonly organizationId: string;
  readonly requestId: string;
  readonly identities: readonly Identity[];
}

/**
 * Habeas' own register of what people's data may not be used for, so that services can ask. A person is there by keyed hashes of
 * their identities only, which outlive the request: a restriction holds until it is lifted. Whoever keeps consent reads objections
 * here by purpose.
 */
export interface Register {
  set(transaction: Database, scope: RegisterScope, choice: Choice): Promise<void>;
  lift(transaction: Database, scope: RegisterScope, choice: Choice): Promise<void>;
  /** One answer per person, in order; a choice that any of a person's identities is known with holds. */
  check(
    organizationId: string,
    people: readonly (readonly Identity[])[],
  ): Promise<readonly ProcessingChoices[]>;
  /** How many requests' choices hold now, by kind. */
  counts(organizationId: string): Promise<Readonly<Record<Flag, number>>>;
}

export interface RegisterOptions {
  readonly db: Database;
  readonly masterKey: SecretKey;
  readonly clock: Clock;
}

export function createRegister({ db, masterKey, clock }: RegisterOptions): Register {
  const key = deriveKey(masterKey, 'processing choices');
  const digest = (identity: Identity): Buffer =>
    createHmac('sha256', key)
      .update(`${identity.type}\0${comparable(identity)}`)
      .digest();
  const purposesOf = (choice: Choice): readonly string[] =>
    choice.flag === 'objection' ? choice.purposes : [''];
  return {
    async set(transaction, { organizationId, requestId, identities }, choice) {
      await sql`
        insert into processing_choices (organization_id, digest, flag, purpose, request_id, since)
        select ${organizationId}, digest, ${choice.flag}, purpose, ${requestId}, ${clock.now()}::timestamptz
        from unnest(${identities.map(digest)}::bytea[]) as digest, unnest(${purposesOf(choice)}::text[]) as purpose
        on conflict do nothing`.execute(transaction);
    },
    async lift(transaction, { organizationId, identities }, choice) {
      await sql`
        delete from processing_choices
        where organization_id = ${organizationId} and digest = any(${identities.map(digest)}::bytea[])
          and flag = ${choice.flag} and purpose = any(${purposesOf(choice)}::text[])`.execute(transaction);
    },
    async check(organizationId, people) {
      const asked = people.flatMap((identities, person) =>
        identities.map((identity) => ({ person, digest: digest(identity) })),
      );
      const { rows } = await sql<{ readonly person: number; readonly flag: Flag; readonly purpose: string }>`
        select distinct asked.person, c.flag, c.purpose
        from unnest(${asked.map(({ person }) => person)}::integer[], ${asked.map((one) => one.digest)}::bytea[])
          as asked (person, digest)
        join processing_choices c on c.organization_id = ${organizationId} and c.digest = asked.digest`.execute(
        db,
      );
      const byPerson = Map.groupBy(rows, ({ person }) => person);
      return people.map((_, person) => choicesOf(byPerson.get(person) ?? []));
    },
    async counts(organizationId) {
      const { rows } = await sql<{ readonly flag: Flag; readonly count: number }>`
        select flag, count(distinct request_id)::integer as count from processing_choices
        where organization_id = ${organizationId} group by flag`.execute(db);
      const none = { restriction: 0, objection: 0, opt_out_of_sale: 0, limit_sensitive_data: 0 };
      return { ...none, ...Object.fromEntries(rows.map(({ flag, count }) => [flag, count])) };
    },
  };
}

function choicesOf(rows: readonly { readonly flag: Flag; readonly purpose: string }[]): ProcessingChoices {
  const has = (flag: Flag) => rows.some((row) => row.flag === flag);
  return {
    restricted: has('restriction'),
    objections: rows
      .filter(({ flag }) => flag === 'objection')
      .map(({ purpose }) => purpose)
      .sort(),
    optedOutOfSale: has('opt_out_of_sale'),
    sensitiveDataLimited: has('limit_sensitive_data'),
  };
}

/** E-mail addresses are one whatever their case and the blanks around them, as people write them. */
function comparable({ type, value }: Identity): string {
  return type === 'email' ? value.trim().toLowerCase() : value;
}
