import type pg from 'pg';
import { type NumberedPurpose, SCHEMA } from './choose-predicate.ts';
import { inTransaction } from './in-transaction.ts';
import {
  type InstalledRow,
  notInstalled,
  type PurposeRow,
  purposesIn,
  watermarkOf,
} from './installed-rows.ts';
import { addGiven, flipBits, mergeGiven, prepareGiven, rebuildBits } from './store-signatures.ts';
import type { Target } from './target.ts';
import type { ChangeableTarget, TargetStore, Watermark } from './target-store.ts';

/** A target in PostgreSQL, over this connection. */
export function changeablePostgres(client: pg.ClientBase): ChangeableTarget {
  return {
    change: (work) =>
      inTransaction(client, 'read committed', async () => {
        await client.query(`select pg_advisory_xact_lock(hashtextextended('${SCHEMA}', 0))`);
        return work(storeOf(client));
      }),
  };
}

function storeOf(client: pg.ClientBase): TargetStore {
  let isPrepared = false;
  return {
    installedPurposes: (target) => installedPurposes(client, target),
    watermark: (target) => readWatermark(client, target),
    isFilled: (types, purposes) => isFilled(client, types, purposes),
    async begin() {
      if (isPrepared) await client.query('truncate pg_temp.given');
      else await prepareGiven(client);
      isPrepared = true;
    },
    give: (rows) => addGiven(client, rows),
    async merge(options, { complete }) {
      const changed = await mergeGiven(client, options, { complete });
      if (!complete) await flipBits(client, options);
      const wrong = complete ? await rebuildBits(client, options) : 0;
      await client.query('drop table pg_temp.changed');
      return { changed, wrong };
    },
    async mark({ snapshot, asOf }) {
      await client.query(`update ${SCHEMA}.installed set snapshot = $1, as_of = $2`, [snapshot, asOf]);
    },
  };
}

/** The state of Habeas that the target has; undefined: none yet. Throws CONFLICT if nothing is installed, or for somebody else. */
export async function readWatermark(
  client: Pick<pg.ClientBase, 'query'>,
  target: Pick<Target, 'key' | 'organizationId'>,
): Promise<Watermark | undefined> {
  const { rows: there } = await client.query<{ there: boolean }>(
    `select to_regclass('${SCHEMA}.installed') is not null as there`,
  );
  if (there[0]?.there !== true) throw notInstalled(target.key);
  const { rows } = await client.query<InstalledRow>(
    `select organization, snapshot, as_of from ${SCHEMA}.installed`,
  );
  return watermarkOf(target, rows[0]);
}

/** The purposes of the configuration with their numbers in the target. Throws CONFLICT where the target knows them otherwise. */
export async function installedPurposes(
  client: Pick<pg.ClientBase, 'query'>,
  target: Pick<Target, 'key' | 'purposes'>,
): Promise<readonly NumberedPurpose[]> {
  const { rows: there } = await client.query<{ there: boolean }>(
    `select to_regclass('${SCHEMA}.purposes') is not null as there`,
  );
  if (there[0]?.there !== true) throw notInstalled(target.key);
  const { rows } = await client.query<PurposeRow>(`select number, code, opt_out from ${SCHEMA}.purposes`);
  return purposesIn(target, rows);
}

async function isFilled(
  client: pg.ClientBase,
  types: readonly string[],
  purposes: readonly NumberedPurpose[],
): Promise<boolean> {
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::integer as count from ${SCHEMA}.filled where type = any($1) and purpose = any($2)`,
    [types, purposes.map(({ number }) => number)],
  );
  return rows[0]?.count === types.length * purposes.length;
}
