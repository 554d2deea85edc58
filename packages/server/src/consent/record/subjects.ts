import { sql } from 'kysely';
import type { Identity } from '../../catalog/index.ts';
import {
  byteaArray,
  createDigester,
  type Database,
  deriveKey,
  open,
  type SecretKey,
  sealAll,
  textArray,
} from '../../foundation/index.ts';
import { createSeenDigests } from './seen-digests.ts';

/** Identities that are to be looked up, each once. */
export interface AskedIdentities {
  readonly identities: readonly Identity[];
  readonly digests: readonly Buffer[];
  /** The digests as PostgreSQL takes them. */
  readonly asked: Buffer;
  /** The place in `identities` of each that was given. */
  readonly places: readonly number[];
  /** Places of identities that this process has not seen, and nearly all that nobody has. */
  readonly unseen: readonly number[];
}

export interface NumberedIdentities {
  /** The subject of each identity that was given, in their order. */
  readonly numbers: readonly number[];
  /** Subjects from here on were not there before. */
  readonly firstNew: number;
}

/** Numbers people densely from 0, so that a purpose is one bit for each of them. */
export interface Subjects {
  /** What has to be computed, and needs no database. */
  prepare(identities: readonly Identity[]): AskedIdentities;
  /** The values at these places, which nobody else can read, and null at all others; as PostgreSQL takes them. */
  seal(asked: AskedIdentities, places: readonly number[]): Buffer;
  /** Those that are new get the next numbers. */
  number(transaction: Database, asked: AskedIdentities): Promise<NumberedIdentities>;
  /** undefined: nothing is known of anybody with this identity. */
  find(db: Database, identity: Identity): Promise<number | undefined>;
  /** The value of an identity of this type that was stored sealed. */
  openValue(type: string, sealed: Buffer): string;
}

export interface SubjectsOptions {
  readonly organizationId: string;
  readonly masterKey: SecretKey;
}

export function createSubjects({ organizationId, masterKey }: SubjectsOptions): Subjects {
  const digest = createDigester(deriveKey(masterKey, `consent identities of ${organizationId}`));
  const seen = createSeenDigests();
  const sealingKey = deriveKey(masterKey, `consent identity values of ${organizationId}`);

  /** In the order of the digests; null: nobody. */
  async function load(db: Database, asked: Buffer): Promise<readonly (number | null)[]> {
    const { rows } = await sql<{ subjects: readonly (number | null)[] | null }>`
      select array_agg(i.subject order by asked.place) as subjects
      from unnest(${asked}::bytea[]) with ordinality as asked(digest, place)
      left join consent_identities as i on i.organization_id = ${organizationId} and i.digest = asked.digest`.execute(
      db,
    );
    return rows[0]?.subjects ?? [];
  }

  /** Adds people, and tells the number of the first; undefined: somebody else added some of them meanwhile. */
  async function add(
    transaction: Database,
    fresh: readonly { readonly digest: Buffer; readonly identity: Identity }[],
  ): Promise<{ readonly first: number; readonly all: boolean }> {
    const sealed = sealAll(
      sealingKey,
      fresh.map(({ identity: { type, value } }) => ({ plain: Buffer.from(value), context: type })),
    );
    // Holds the counter until the end of the transaction.
    const { rows } = await sql<{ first: number; all: boolean }>`
      with counter as (
        insert into consent_counters as c (organization_id, next_subject) values (${organizationId}, ${fresh.length})
        on conflict (organization_id) do update set next_subject = c.next_subject + excluded.next_subject
        returning next_subject - ${fresh.length}::integer as first
      ), added as (
        insert into consent_identities (organization_id, digest, subject, type, sealed_value)
        select ${organizationId}, digest, first + place::integer - 1, type, sealed
        from counter, unnest(
          ${byteaArray(fresh.map(({ digest }) => digest))}::bytea[],
          ${textArray(fresh.map(({ identity }) => identity.type))}::text[], ${byteaArray(sealed)}::bytea[]
        ) with ordinality as fresh(digest, type, sealed, place)
        on conflict do nothing
        returning subject
      ) select first, (select count(*) from added) = ${fresh.length} as all from counter`.execute(
      transaction,
    );
    return rows[0] ?? { first: 0, all: false };
  }

  const digestOf = ({ type, value }: Identity) => digest(`${type}\0${value}`);

  return {
    prepare(given) {
      const places = new Map<string, number>();
      const identities: Identity[] = [];
      const placed = given.map((identity) => {
        const key = `${identity.type}\0${identity.value}`;
        const known = places.get(key);
        if (known !== undefined) return known;
        places.set(key, identities.length);
        return identities.push(identity) - 1;
      });
      const digests = identities.map(digestOf);
      const unseen = digests.flatMap((digest, place) => (seen.see(digest) ? [] : [place]));
      return { identities, digests, asked: byteaArray(digests), places: placed, unseen };
    },

    seal({ identities }, places) {
      const sealed = sealAll(
        sealingKey,
        places.map((place) => {
          const { type, value } = identities[place] as Identity;
          return { plain: Buffer.from(value), context: type };
        }),
      );
      const all = new Array<Buffer | null>(identities.length).fill(null);
      for (const [index, place] of places.entries()) all[place] = sealed[index] as Buffer;
      return byteaArray(all);
    },

    async number(transaction, { identities, digests, asked, places }) {
      let known = await load(transaction, asked);
      let firstNew = Number.POSITIVE_INFINITY;
      const fresh = identities.flatMap((identity, place) =>
        known[place] === null ? [{ identity, digest: digests[place] as Buffer, place }] : [],
      );
      if (fresh.length > 0) {
        const { first, all } = await add(transaction, fresh);
        if (all) {
          firstNew = first;
          const numbers = [...known];
          for (const [index, { place }] of fresh.entries()) numbers[place] = first + index;
          known = numbers;
        } else known = await load(transaction, asked);
      }
      return { numbers: places.map((place) => known[place] ?? Number.NaN), firstNew };
    },

    async find(db, identity) {
      return (await load(db, byteaArray([digestOf(identity)])))[0] ?? undefined;
    },
    openValue: (type, sealed) => open(sealingKey, sealed, type).toString(),
  };
}
