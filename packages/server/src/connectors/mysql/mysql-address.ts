import { readFileSync } from 'node:fs';
import type { PoolOptions } from 'mysql2';
import { HabeasError } from '../../foundation/index.ts';

const SCHEMES = ['mysql:', 'mariadb:'];

export interface ReadAddressOptions {
  /** Whether the address may leave its database out. */
  readonly database: 'needed' | 'optional';
  /** Of the documentation. */
  readonly page: string;
}

/** Whether it is the address of a MariaDB. */
export function isMysqlAddress(url: string): boolean {
  return SCHEMES.some((scheme) => url.startsWith(scheme));
}

/** What of a connection's address the driver is told. Nothing else of it: some options of the driver would let one text hold two statements. */
export function readAddress(
  url: string,
  system: string,
  { database: need, page }: ReadAddressOptions = { database: 'needed', page: 'docs/connect-mysql.md' },
): PoolOptions {
  const invalid = (text: string) =>
    new HabeasError('CONFIG_INVALID', `The \`url\` of the connection ${system} ${text} (${page}).`);
  let address: URL;
  try {
    address = new URL(url);
  } catch {
    throw invalid('is no address such as mysql://user:password@host:3306/database');
  }
  if (!SCHEMES.includes(address.protocol)) throw invalid('begins with neither mysql:// nor mariadb://');
  const database = decodeURIComponent(address.pathname.slice(1));
  if (database === '' && need === 'needed') throw invalid('names no database');
  const mode = address.searchParams.get('sslmode') ?? 'disable';
  const rootFile = address.searchParams.get('sslrootcert');
  if (!['disable', 'require', 'verify-full'].includes(mode))
    throw invalid('has another sslmode than disable, require or verify-full');
  return {
    host: address.hostname,
    port: address.port === '' ? 3306 : Number(address.port),
    user: decodeURIComponent(address.username),
    password: decodeURIComponent(address.password),
    ...(database === '' ? {} : { database }),
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
