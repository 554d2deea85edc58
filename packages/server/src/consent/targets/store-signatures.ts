import type pg from 'pg';
import { LARGEST_KEY, type NumberedPurpose, SCHEMA, signaturesTable } from './choose-predicate.ts';
import type { TargetSignature } from './read-signatures.ts';
import { KEYS_PER_CHUNK } from './target-objects.ts';
import type { StoreOptions } from './target-store.ts';

/** Takes rows for {@link mergeGiven}, in the caller's transaction. */
export async function prepareGiven(client: pg.ClientBase): Promise<void> {
  await client.query(
    'create temp table given (type text, identity text, granted bigint, denied bigint, primary key (type, identity)) on commit drop',
  );
}

export async function addGiven(client: pg.ClientBase, rows: readonly TargetSignature[]): Promise<void> {
  await client.query(
    'insert into pg_temp.given select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])',
    [
      rows.map(({ type }) => type),
      rows.map(({ identity }) => identity),
      rows.map(({ granted }) => granted),
      rows.map(({ denied }) => denied),
    ],
  );
}

/** Changes what differs from what was given; gives how many people's rows that were. `complete`: who was not given has said nothing. */
export async function mergeGiven(
  client: pg.ClientBase,
  { type, purposes, isNumber }: StoreOptions,
  { complete }: { readonly complete: boolean },
): Promise<number> {
  const table = signaturesTable(type);
  // A whole number is written in one way; what is none of them is in no column of whole numbers.
  const usable = isNumber
    ? `g.identity ~ '^(0|[1-9][0-9]{0,8})$' and g.identity::bigint <= ${LARGEST_KEY}`
    : 'true';
  await client.query(
    `insert into ${table} (identity, ${isNumber ? 'key, ' : ''}granted, denied)
     select g.identity, ${isNumber ? 'g.identity::integer, ' : ''}0, 0 from pg_temp.given as g
     where g.type = $1 and ${usable} and not exists (select from ${table} as s where s.identity = g.identity)`,
    [type],
  );
  await client.query(
    `create temp table changed on commit drop as
     select s.key, coalesce(g.granted, 0) as granted, coalesce(g.denied, 0) as denied,
       ((s.granted # coalesce(g.granted, 0)) & ${maskOf(purposes, false)}) | ((s.denied # coalesce(g.denied, 0)) & ${maskOf(purposes, true)}) as flips
     from ${table} as s ${complete ? 'left' : ''} join pg_temp.given as g on g.type = '${type}' and g.identity = s.identity
     where (s.granted, s.denied) is distinct from (coalesce(g.granted, 0), coalesce(g.denied, 0))`,
  );
  const { rowCount } = await client.query(
    `update ${table} as s set granted = c.granted, denied = c.denied from pg_temp.changed as c where c.key = s.key`,
  );
  if (complete)
    await client.query(
      `delete from ${table} as s where not exists (select from pg_temp.given as g where g.type = $1 and g.identity = s.identity)`,
      [type],
    );
  return rowCount ?? 0;
}

/** Turns the bits of those whose signature was changed by {@link mergeGiven}. */
export async function flipBits(client: pg.ClientBase, { type, purposes }: StoreOptions): Promise<void> {
  const { rows } = await client.query<{ key: number; flips: string }>(
    'select key, flips::text from pg_temp.changed where flips <> 0',
  );
  const flips = new Map<string, number[]>();
  for (const { key, flips: word } of rows) {
    const bits = BigInt(word);
    for (const { number } of purposes) {
      if (((bits >> BigInt(number)) & 1n) === 0n) continue;
      const chunk = `${number}/${Math.floor(key / KEYS_PER_CHUNK)}`;
      const places = flips.get(chunk) ?? [];
      flips.set(chunk, places);
      places.push(key % KEYS_PER_CHUNK);
    }
  }
  await coverAll(client, type);
  const places = [...flips.keys()].map((one) => one.split('/').map(Number) as [number, number]);
  const { rows: chunks } = await client.query<{ purpose: number; chunk: number; bits: Buffer }>(
    `select purpose, chunk, bits from ${SCHEMA}.bitmaps where type = $1
     and (purpose, chunk) in (select * from unnest($2::smallint[], $3::integer[]))`,
    [type, places.map(([purpose]) => purpose), places.map(([, chunk]) => chunk)],
  );
  for (const { purpose, chunk, bits } of chunks)
    for (const place of flips.get(`${purpose}/${chunk}`) ?? [])
      bits[place >> 3] = (bits[place >> 3] ?? 0) ^ (1 << (place & 7));
  await writeChunks(client, type, chunks);
}

interface Chunk {
  readonly purpose: number;
  readonly chunk: number;
  readonly bits: Buffer;
}

/** Makes the bitmaps anew from the signatures, and gives how many bits were other than they had to be. */
export async function rebuildBits(client: pg.ClientBase, { type, purposes }: StoreOptions): Promise<number> {
  for (const { number } of purposes)
    await client.query(
      `insert into ${SCHEMA}.filled (type, purpose, covered) values ($1, $2, 0) on conflict do nothing`,
      [type, number],
    );
  const last = await coverAll(client, type);
  let wrong = 0;
  for (let chunk = 0; chunk <= last; chunk += 1) {
    const { rows } = await client.query<{ key: number; granted: string; denied: string }>(
      `select key, granted::text, denied::text from ${signaturesTable(type)} where key >= $1 and key < $2 and (granted | denied) <> 0`,
      [chunk * KEYS_PER_CHUNK, (chunk + 1) * KEYS_PER_CHUNK],
    );
    const { rows: stored } = await client.query<Chunk>(
      `select purpose, chunk, bits from ${SCHEMA}.bitmaps where type = $1 and chunk = $2`,
      [type, chunk],
    );
    const changed: Chunk[] = [];
    for (const { number, optOut } of purposes) {
      const bits = Buffer.alloc(KEYS_PER_CHUNK / 8);
      const mask = 1n << BigInt(number);
      for (const { key, granted, denied } of rows) {
        const place = key % KEYS_PER_CHUNK;
        if ((BigInt(optOut ? denied : granted) & mask) !== 0n)
          bits[place >> 3] = (bits[place >> 3] ?? 0) | (1 << (place & 7));
      }
      const before = stored.find(({ purpose }) => purpose === number)?.bits;
      if (before?.equals(bits) === true) continue;
      wrong += differentBits(before ?? Buffer.alloc(0), bits);
      changed.push({ purpose: number, chunk, bits });
    }
    await writeChunks(client, type, changed);
  }
  return wrong;
}

/** Makes all bitmaps as long as the largest key; gives the number of their last chunk, or -1. */
async function coverAll(client: pg.ClientBase, type: string): Promise<number> {
  const { rows } = await client.query<{ last: number | null }>(
    `select max(key) / ${KEYS_PER_CHUNK} as last from ${signaturesTable(type)}`,
  );
  const last = rows[0]?.last ?? -1;
  await client.query(
    `insert into ${SCHEMA}.bitmaps (type, purpose, chunk, bits)
     select f.type, f.purpose, chunk, pg_catalog.decode(pg_catalog.repeat('00', ${KEYS_PER_CHUNK / 8}), 'hex')
     from ${SCHEMA}.filled as f, generate_series(f.covered / ${KEYS_PER_CHUNK}, $2::integer) as chunk where f.type = $1
     on conflict do nothing`,
    [type, last],
  );
  await client.query(`update ${SCHEMA}.filled set covered = $2 where type = $1 and covered < $2`, [
    type,
    (last + 1) * KEYS_PER_CHUNK,
  ]);
  return last;
}

async function writeChunks(client: pg.ClientBase, type: string, chunks: readonly Chunk[]): Promise<void> {
  if (chunks.length === 0) return;
  await client.query(
    `insert into ${SCHEMA}.bitmaps (type, purpose, chunk, bits) select $1, * from unnest($2::smallint[], $3::integer[], $4::bytea[])
     on conflict (type, purpose, chunk) do update set bits = excluded.bits`,
    [
      type,
      chunks.map(({ purpose }) => purpose),
      chunks.map(({ chunk }) => chunk),
      chunks.map(({ bits }) => bits),
    ],
  );
}

function differentBits(one: Buffer, other: Buffer): number {
  let count = 0;
  for (let place = 0; place < other.length; place += 1)
    for (let rest = (one[place] ?? 0) ^ (other[place] ?? 0); rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

function maskOf(purposes: readonly NumberedPurpose[], optOut: boolean): string {
  return String(
    purposes.reduce((mask, one) => (one.optOut === optOut ? mask | (1n << BigInt(one.number)) : mask), 0n),
  );
}
