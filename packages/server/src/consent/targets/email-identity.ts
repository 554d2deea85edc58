import type pg from 'pg';
import { HabeasError } from '../../foundation/index.ts';
import { SCHEMA } from './choose-predicate.ts';
import type { Target } from './target.ts';
import type { TargetObject } from './target-object.ts';

/** Makes of an e-mail address in a row what Habeas stores of it. */
export const EMAIL_FUNCTION = `${SCHEMA}.email_identity`;

/** What a database can fold letters by: Unicode's rules by ICU, or those of the database itself. */
type Folding = 'icu' | 'own';

/** All that ECMAScript's `trim` takes away (ECMA-262 § 12.2 and § 12.3), as an escape string of PostgreSQL. */
const BLANKS = String.raw`E'\u0009\u000a\u000b\u000c\u000d\u0020\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff'`;

/**
 * The function, where rows name people by e-mail addresses: the same as `normalized` of the room does. A database whose locale is C folds
 * no letters but those of ASCII, and then whoever refused as ÄNNE@… would be seen. PostgreSQL puts its body in place of each call.
 */
export async function emailObjects(
  client: Pick<pg.ClientBase, 'query'>,
  target: Pick<Target, 'tables'>,
): Promise<readonly TargetObject[]> {
  if (!target.tables.some((one) => one.kind === 'protected' && one.identity === 'email')) return [];
  const folding = await foldingOf(client);
  // The comparison is by the collation of the table that has the identities, or its index could not be used.
  const text = `pg_catalog.btrim(pg_catalog.normalize(address, 'NFC'), ${BLANKS})`;
  const collated = folding === 'icu' ? `${text} collate pg_catalog."und-x-icu"` : text;
  return [
    {
      kind: 'function',
      name: 'email_identity',
      create: [
        `create or replace function ${EMAIL_FUNCTION}(address text) returns text language sql immutable parallel safe as
         $habeas$ select pg_catalog.lower(${collated}) collate pg_catalog."default" $habeas$`,
        `grant execute on function ${EMAIL_FUNCTION}(text) to public`,
      ],
      drop: [`drop function if exists ${EMAIL_FUNCTION}(text)`],
    },
  ];
}

/** Throws SCHEMA_MISMATCH for a database that has no rules for letters beyond ASCII. */
async function foldingOf(client: Pick<pg.ClientBase, 'query'>): Promise<Folding> {
  const { rows: encodings } = await client.query<{ encoding: string }>(
    "select pg_catalog.current_setting('server_encoding') as encoding",
  );
  const encoding = encodings[0]?.encoding ?? '';
  if (encoding === 'UTF8') {
    const { rows } = await client.query<{ icu: boolean; own: boolean }>(
      `select exists (select from pg_catalog.pg_collation where collname = 'und-x-icu' and collnamespace = 'pg_catalog'::regnamespace) as icu,
         pg_catalog.lower(U&'\\00C4\\0416\\00D8') = U&'\\00E4\\0436\\00F8' as own`,
    );
    if (rows[0]?.icu === true) return 'icu';
    if (rows[0]?.own === true) return 'own';
  }
  throw new HabeasError(
    'SCHEMA_MISMATCH',
    `The target has tables with e-mail addresses, its encoding is ${encoding}, and it cannot tell that Ä and ä are one letter. Use a database in UTF-8, of a PostgreSQL with ICU or with a locale other than C; or name people by another identity.`,
  );
}
