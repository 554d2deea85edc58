import { readFileSync } from 'node:fs';
import type { PoolOptions } from 'mysql2';
import { HabeasError } from '../../foundation/index.ts';

/** What of a connection's address the driver is told. Nothing else of it: some options of the driver would let one text hold two statements. */
export function readAddress(url: string, system: string): PoolOptions {
  const invalid = (text: string) =>
    new HabeasError(
      'CONFIG_INVALID',
      `The \`url\` of the connection ${system} ${text} (docs/connect-mysql.md).`,
    );
  let address: URL;
  try {
    address = new URL(url);
  } catch {
    throw invalid('is no address such as mysql://user:password@host:3306/database');
  }
  if (address.protocol !== 'mysql:' && address.protocol !== 'mariadb:')
    throw invalid('begins with neither mysql:// nor mariadb://');
  const database = decodeURIComponent(address.pathname.slice(1));
  if (database === '') throw invalid('names no database');
  const mode = address.searchParams.get('sslmode') ?? 'disable';
  const rootFile = address.searchParams.get('sslrootcert');
  if (!['disable', 'require', 'verify-full'].includes(mode))
    throw invalid('has another sslmode than disable, require or verify-full');
  return {
    host: address.hostname,
    port: address.port === '' ? 3306 : Number(address.port),
    user: decodeURIComponent(address.username),
    password: decodeURIComponent(address.password),
    database,
    ...(mode === 'disable'
      ? {}
      : {
          ssl: {
            rejectUnauthorized: mode === 'verify-full',
            verifyIdentity: mode === 'verify-full',
            ...(rootFile === null ? {} : { ca: readFileSync(rootFile, 'utf8') }),
          },
        }),
  };
}
