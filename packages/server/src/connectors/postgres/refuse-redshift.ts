import type pg from 'pg';
import { HabeasError } from '../../foundation/index.ts';

/**
 * What a transaction that could not begin says where the server is Amazon Redshift, which speaks PostgreSQL's protocol; undefined
 * where it is not, or nobody answers. The client must not be used afterwards.
 */
export async function redshiftRefusal(
  client: pg.PoolClient,
  system: string,
  cause: unknown,
): Promise<HabeasError | undefined> {
  try {
    await client.query('rollback');
    const { rows } = await client.query<{ readonly version: string }>('select version() as version');
    if (!/\bredshift\b/i.test(rows[0]?.version ?? '')) return undefined;
  } catch {
    // Whatever it is, it does not say so; the first failure tells more.
    return undefined;
  }
  return new HabeasError(
    'SYSTEM_REFUSED',
    `${system} is Amazon Redshift, which needs other SQL than PostgreSQL: set \`options: { dialect: redshift }\` on the connection (docs/connect-postgres.md).`,
    { cause },
  );
}
