import { isMysqlAddress } from '../../connectors/index.ts';
import { HabeasError } from '../../foundation/index.ts';
import { type MariadbTarget, openMariadb } from './mariadb/index.ts';
import { openPostgres, type PostgresTarget } from './open-postgres.ts';

export function openTarget(where: {
  readonly key: string;
  readonly url: string;
}): PostgresTarget | MariadbTarget {
  return isMysqlAddress(where.url) ? openMariadb(where) : openPostgres(where);
}

/** Throws BAD_INPUT for a database whose statements are not rewritten. */
export function requirePostgres(opened: PostgresTarget | MariadbTarget, key: string): PostgresTarget {
  if (opened.engine === 'postgres') return opened;
  throw new HabeasError(
    'BAD_INPUT',
    `The target ${key} is a MariaDB, whose statements are not rewritten: its jobs read the views of their purposes (docs/enforce-consent.md#mariadb).`,
  );
}
