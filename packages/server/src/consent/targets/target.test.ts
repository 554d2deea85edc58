import { expect, it } from 'vitest';
import { targetsOf } from './target.ts';

const POSTGRES = 'postgres://localhost/shop';
const MARIADB = 'mariadb://localhost/shop';

const PURPOSES = [{ code: 'analytics', legal_basis: 'consent' }] as unknown as Parameters<
  typeof targetsOf
>[1];

/** Of a target in which each of these schemas has a table of this name. */
function targetWith(url: string, name: string, schemas: readonly string[] = ['eins', 'zwei']) {
  const table = (schema: string) => ({
    table: `${schema}.${name}`,
    identity: 'user_id',
    column: undefined,
    key: undefined,
  });
  const target = {
    key: 'shop',
    url,
    tables: schemas.map(table),
    functions: [],
    numbers: [],
    row_security: false,
    sync_every: 1_000,
    reconcile_every: 1_000,
  };
  const config = { organization: 'acme', consent: { targets: [target] } };
  return targetsOf(config as unknown as Parameters<typeof targetsOf>[0], PURPOSES);
}

it.each([
  ['as long as PostgreSQL keeps it', POSTGRES, 'x'.repeat(58), undefined],
  ['a letter longer', POSTGRES, 'x'.repeat(59), '63 bytes'],
  ['as long in bytes', POSTGRES, 'ä'.repeat(29), undefined],
  ['longer in bytes than in letters', POSTGRES, 'ä'.repeat(30), '63 bytes'],
  ['as long in MariaDB, which counts letters', MARIADB, 'ä'.repeat(58), undefined],
  ['a letter longer in MariaDB', MARIADB, 'ä'.repeat(59), '63 characters'],
])('refuses a view whose name would be cut off: %s', (_, url, name, words) => {
  if (words === undefined) expect(targetWith(url, name)).toHaveLength(1);
  else
    expect(() => targetWith(url, name)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(words) }),
    );
});

it('says of the only table with a name that it is too long by itself', () => {
  expect(targetWith(POSTGRES, 'x'.repeat(63), ['eins'])).toHaveLength(1);
  expect(() => targetWith(POSTGRES, 'ä'.repeat(32), ['eins'])).toThrow(
    / has a name that is longer than 63 bytes/,
  );
});
