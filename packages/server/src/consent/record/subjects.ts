import { createHmac, createSecretKey } from 'node:crypto';
import { sql } from 'kysely';
import type { Identity } from '../../catalog/index.ts';
import { type Database, deriveKey, type SecretKey, seal } from '../../foundation/index.ts';

/** Numbers people densely from 0, so that a purpose is one bit for each of them. */
export interface Subjects {
  /** The subject of each identity, in the order of the identities; those that are new get the next numbers. */
  number(transaction: Database, identities: readonly Identity[]): Promise<readonly number[]>;
  /** undefined: nothing is known of anybody with this identity. */
  find(db: Database, identity: Identity): Promise<number | undefined>;
}

export interface SubjectsOptions {
  readonly organizationId: string;
  readonly masterKey: SecretKey;
}

export function createSubjects({ organizationId, masterKey }: SubjectsOptions): Subjects {
  const digestKey = createSecretKey(deriveKey(masterKey, `consent identities of ${organizationId}`));
  const sealingKey = deriveKey(masterKey, `consent identity values of ${organizationId}`);
  const digestOf = ({ type, value }: Identity) =>
    createHmac('sha256', digestKey).update(`${type}\0${value}`).digest();

  async function load(db: Database, digests: readonly Buffer[]): Promise<ReadonlyMap<string, number>> {
    const { rows } = await sql<{ digest: Buffer; subject: number }>`
      select i.digest, i.subject from unnest(${digests}::bytea[]) as asked(digest)
      join consent_identities as i on i.organization_id = ${organizationId} and i.digest = asked.digest`.execute(
      db,
    );
    return new Map(rows.map(({ digest, subject }) => [digest.toString('latin1'), subject]));
  }

  async function add(
    transaction: Database,
    fresh: ReadonlyMap<string, { readonly digest: Buffer; readonly identity: Identity }>,
  ): Promise<void> {
    const all = [...fresh.values()];
    // Holds the counter until the end of the transaction: who adds the same people at once waits, and then finds them.
    const { rows } = await sql<{ first: number }>`
      insert into consent_counters as c (organization_id, next_subject) values (${organizationId}, ${all.length})
      on conflict (organization_id) do update set next_subject = c.next_subject + excluded.next_subject
      returning next_subject - ${all.length}::integer as first`.execute(transaction);
    const first = rows[0]?.first ?? 0;
    await sql`
      insert into consent_identities (organization_id, digest, subject, type, sealed_value)
      select ${organizationId}, digest, ${first}::integer + place::integer - 1, type, sealed
      from unnest(
        ${all.map(({ digest }) => digest)}::bytea[],
        ${all.map(({ identity }) => identity.type)}::text[],
        ${all.map(({ identity }) => seal(sealingKey, Buffer.from(identity.value), identity.type))}::bytea[]
      ) with ordinality as fresh(digest, type, sealed, place)
      on conflict do nothing`.execute(transaction);
  }

  return {
    async number(transaction, identities) {
      const digests = identities.map(digestOf);
      let known = await load(transaction, digests);
      const fresh = new Map(
        identities.flatMap((identity, index) => {
          const digest = digests[index] as Buffer;
          const key = digest.toString('latin1');
          return known.has(key) ? [] : [[key, { digest, identity }] as const];
        }),
      );
      if (fresh.size > 0) {
        await add(transaction, fresh);
        known = await load(transaction, digests);
      }
      return digests.map((digest) => known.get(digest.toString('latin1')) ?? Number.NaN);
    },
    async find(db, identity) {
      const digest = digestOf(identity);
      return (await load(db, [digest])).get(digest.toString('latin1'));
    },
  };
}
