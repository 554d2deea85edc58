import { createHash } from 'node:crypto';
import type { api } from '@habeas/contract';
import { sql } from 'kysely';
import type pg from 'pg';
import { appendAudit, canonicalJson } from '../../audit/index.ts';
import { type Clock, type Database, HabeasError, newId, sha256Hex } from '../../foundation/index.ts';
import type { ConsentCaller } from '../create-consent.ts';
import { allowedByDefault, type Purpose } from '../purposes/index.ts';
import { BLOOM_HASHES, bloomBits, bloomOf } from './bloom-file.ts';
import { parquetOfTexts } from './parquet-file.ts';
import { countPeople, type ReadPeopleOptions, readPeople } from './read-people.ts';
import { createTurns } from './turns.ts';

/** Who agreed, or refused, as files for engines that run no SQL of PostgreSQL. */
export interface ConsentExports {
  /**
   * Makes a file of one state. Its manifest is there when its last byte was read; a file that was not read to its end has none. Throws NOT_FOUND
   * for a purpose that is none, and BAD_INPUT for a filter of a purpose for which everybody unknown is denied.
   */
  open(caller: ConsentCaller, asked: api.ExportConsent): Promise<OpenConsentExport>;
  /** The signed manifest. Throws NOT_FOUND. */
  manifest(organizationId: string, id: string): Promise<api.ConsentExport>;
}

export interface OpenConsentExport {
  readonly id: string;
  readonly stream: AsyncGenerator<Buffer, void, undefined>;
}

export interface CreateConsentExportsOptions {
  readonly db: Database;
  readonly pool: Pick<pg.Pool, 'connect'>;
  readonly clock: Clock;
  /** Whose purposes these are; another organization on the same server has none. */
  readonly organizationId: string;
  readonly purposes: readonly Purpose[];
  readonly openValue: (type: string, sealed: Buffer) => string;
  /** Who takes nothing of a file for so long gets no more of it, so that others get their turn. (Default: 5 minutes) */
  readonly patienceMilliseconds?: number;
  readonly sign: (
    payload: Uint8Array,
  ) => Promise<{ readonly signature: string; readonly publicKey: Readonly<Record<string, unknown>> }>;
}

type Manifest = api.ConsentExport['manifest'];
type Found = Pick<Manifest, 'file' | 'count' | 'snapshot' | 'as_of'>;

/** Each keeps a connection for as long as somebody reads; the others are for what else there is to do. */
const AT_ONCE = 2;
const PATIENCE_MILLISECONDS = 5 * 60_000;
/** Of one piece: over any line that is of use it arrives within that time. */
const MOST_BYTES = 1_024 * 1_024;

export function createConsentExports(options: CreateConsentExportsOptions): ConsentExports {
  const { db, pool, clock, organizationId: own, purposes, openValue, sign } = options;
  const { patienceMilliseconds = PATIENCE_MILLISECONDS } = options;
  const turns = createTurns(AT_ONCE);

  async function* write(caller: ConsentCaller, begun: Begun): AsyncGenerator<Buffer, void, undefined> {
    const leave = await turns.enter();
    try {
      const found = yield* readState(caller, begun, leave);
      await conclude(caller, begun, found);
    } finally {
      leave();
    }
  }

  /** The file, of one state; then what the manifest says of it. By then its connection is free: who held it and asked for another one might wait for ever. */
  async function* readState(
    caller: ConsentCaller,
    begun: Begun,
    leave: () => void,
  ): AsyncGenerator<Buffer, Found, undefined> {
    const client = await pool.connect();
    const hash = createHash('sha256');
    let bytes = 0;
    let isDone = false;
    let isGivenUp = false;
    const giveUp = () => {
      isGivenUp = true;
      client.release(true);
      leave();
    };
    try {
      await client.query('begin isolation level repeatable read read only');
      const { rows } = await client.query<{ snapshot: string; as_of: Date; bit: number | null }>(
        `select pg_current_snapshot()::text as snapshot, now() as as_of,
           (select bit from consent_purposes where organization_id = $1 and code = $2) as bit`,
        [caller.organizationId, begun.asked.purpose],
      );
      const { snapshot = '', as_of: asOf = new Date(), bit = null } = rows[0] ?? {};
      const read = {
        organizationId: caller.organizationId,
        identityType: begun.asked.identity_type,
        // A purpose that nobody ever said anything about has no bit, and nobody's is 63.
        bit: bit ?? 63,
        lists: begun.lists,
        openValue,
      };
      const count = await countPeople(client, read);
      for await (const piece of piecesOf(client, read, { count, format: begun.asked.format })) {
        hash.update(piece);
        bytes += piece.length;
        const timer = setTimeout(giveUp, patienceMilliseconds).unref();
        try {
          yield piece;
        } finally {
          clearTimeout(timer);
        }
        if (isGivenUp) throw new HabeasError('UNAVAILABLE', 'The export was read too slowly.');
      }
      await client.query('commit');
      isDone = true;
      return { file: { bytes, sha256: hash.digest('hex') }, count, snapshot, as_of: asOf.toISOString() };
    } finally {
      // Also when nobody reads on, or the connection is lost: it ends, and its transaction with it.
      if (!isGivenUp) client.release(!isDone);
    }
  }

  async function conclude(
    { organizationId, actor }: ConsentCaller,
    { id, asked, lists }: Begun,
    found: Found,
  ): Promise<void> {
    const now = clock.now();
    const manifest: Manifest = {
      version: 1,
      organization: organizationId,
      export_id: id,
      purpose: asked.purpose,
      identity_type: asked.identity_type,
      lists,
      format: asked.format,
      ...(asked.format === 'bloom' ? { bloom: { bits: found.file.bytes * 8, hashes: BLOOM_HASHES } } : {}),
      ...found,
      issued_at: now.toISOString(),
      // From the state that it has, not from when it was written.
      expires_at: new Date(Date.parse(found.as_of) + asked.valid_seconds * 1_000).toISOString(),
    };
    const payload = Buffer.from(canonicalJson(manifest as unknown as Parameters<typeof canonicalJson>[0]));
    const { signature, publicKey } = await sign(payload);
    const signed = { manifest, signature, public_key: { ...publicKey } };
    await db.transaction().execute(async (transaction) => {
      const details = { purpose: asked.purpose, format: asked.format, sha256: sha256Hex(payload) };
      const entry = { organizationId, actor, action: 'consent.exported', subject: id, details };
      await appendAudit(transaction, [entry], now);
      await sql`
        insert into consent_exports (organization_id, id, manifest)
        values (${organizationId}, ${id}, ${JSON.stringify(signed)})`.execute(transaction);
    });
  }

  return {
    async open(caller, asked) {
      const known = caller.organizationId === own ? purposes : [];
      const purpose = known.find(({ code }) => code === asked.purpose);
      if (purpose === undefined) throw new HabeasError('NOT_FOUND', `There is no purpose ${asked.purpose}.`);
      const lists = allowedByDefault(purpose) ? 'denied' : 'granted';
      // A filter takes some for members who are none: of those who refused that denies one too many, of those who agreed it would allow one.
      if (asked.format === 'bloom' && lists === 'granted')
        throw new HabeasError(
          'BAD_INPUT',
          `${asked.purpose} needs consent: a Bloom filter of those who agreed would let in some who did not. Export it as parquet.`,
        );
      const begun = { id: newId('cex', clock.now()), asked, lists } as const;
      return { id: begun.id, stream: write(caller, begun) };
    },

    async manifest(organizationId, id) {
      const { rows } = await sql<{ manifest: string }>`
        select manifest from consent_exports where organization_id = ${organizationId} and id = ${id}`.execute(
        db,
      );
      if (rows[0] === undefined)
        throw new HabeasError('NOT_FOUND', `There is no export ${id} that was read to its end.`);
      return JSON.parse(rows[0].manifest) as api.ConsentExport;
    },
  };
}

interface Begun {
  readonly id: string;
  readonly asked: api.ExportConsent;
  readonly lists: 'granted' | 'denied';
}

async function* piecesOf(
  client: pg.ClientBase,
  read: ReadPeopleOptions,
  { count, format }: { readonly count: number; readonly format: 'parquet' | 'bloom' },
): AsyncGenerator<Buffer, void, undefined> {
  const people = readPeople(client, read);
  const pieces =
    format === 'parquet' ? parquetOfTexts('identity', people) : [await bloomOf(people, bloomBits(count))];
  for await (const piece of pieces)
    for (let at = 0; at < piece.length; at += MOST_BYTES) yield piece.subarray(at, at + MOST_BYTES);
}
