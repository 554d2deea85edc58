import { SCHEMA } from '../choose-predicate.ts';
import { notInstalled, type PurposeRow, purposesIn, watermarkOf } from '../installed-rows.ts';
import type { TargetSignature } from '../read-signatures.ts';
import type { StoreOptions, TargetStore } from '../target-store.ts';
import { LARGEST_NUMBER, LONGEST_IDENTITY } from './mariadb-predicate.ts';
import type { MariadbSession } from './mariadb-session.ts';
import { EXACT, quoteName, quoteText } from './mariadb-text.ts';

/** Rows that are sent at once: far less than a packet of MariaDB takes. */
const ROWS = 1_000;
/**
 * A whole number as it is written. `$` would be before a last line feed, too, and the server may let `^` be at the start of any line (`default_regex_flags`).
 * As bytes, because backslashes mean different things to different sessions.
 */
const NUMBER_TEXT = quoteText(String.raw`\A(0|-?[1-9][0-9]{0,18})\z`);
/** Whether an identity is a whole number, as it is written, that fits into 64 bits. */
const isNumberText = (identity: string) =>
  `case when ${identity} regexp ${NUMBER_TEXT} then cast(${identity} as decimal(20)) between -9223372036854775808 and ${LARGEST_NUMBER} else false end`;

/** What people said, within the transaction of this session. */
export function mariadbStore(session: MariadbSession): TargetStore {
  return {
    async installedPurposes(target) {
      await requireTable(session, 'purposes', target.key);
      const rows = await session.rows<{ number: number; code: string; opt_out: number }>(
        `select number, code, opt_out from ${SCHEMA}.purposes`,
      );
      return purposesIn(
        target,
        rows.map((row): PurposeRow => ({ ...row, opt_out: row.opt_out === 1 })),
      );
    },
    async watermark(target) {
      await requireTable(session, 'installed', target.key);
      const [row] = await session.rows<{
        organization: string;
        snapshot: string | null;
        as_of: Date | null;
      }>(`select organization, snapshot, as_of from ${SCHEMA}.installed`);
      return watermarkOf(target, row);
    },
    async isFilled(types, purposes) {
      const rows = await session.rows<{ type: string; purpose: number }>(
        `select type, purpose from ${SCHEMA}.filled`,
      );
      const filled = new Set(rows.map(({ type, purpose }) => `${type} ${purpose}`));
      return types.every((type) => purposes.every(({ number }) => filled.has(`${type} ${number}`)));
    },
    async begin() {
      // A statement that deletes by a join asks for one, though each table in it has its own.
      await session.run(`use ${SCHEMA}`);
      // A temporary table is none of the changes that end a transaction.
      await session.run(
        `create or replace temporary table ${SCHEMA}.given (type varchar(31) ${EXACT} not null, identity varchar(${LONGEST_IDENTITY}) ${EXACT} not null,
          granted bigint not null, denied bigint not null, key (identity)) engine=InnoDB`,
      );
    },
    async give(rows) {
      const known = rows.filter(({ identity }) => [...identity].length <= LONGEST_IDENTITY);
      for (let at = 0; at < known.length; at += ROWS) await give(session, known.slice(at, at + ROWS));
    },
    async merge(options, { complete }) {
      const changed = await merge(session, options, complete);
      if (complete)
        for (const { number } of options.purposes)
          await session.change(`insert ignore into ${SCHEMA}.filled (type, purpose) values (?, ?)`, [
            options.type,
            number,
          ]);
      return { changed, wrong: 0 };
    },
    async mark({ snapshot, asOf }) {
      await session.change(`update ${SCHEMA}.installed set snapshot = ?, as_of = ?`, [snapshot, asOf]);
    },
  };
}

async function give(session: MariadbSession, rows: readonly TargetSignature[]): Promise<void> {
  await session.change(
    `insert into ${SCHEMA}.given (type, identity, granted, denied)
     select j.t, j.i, j.g, j.d from json_table(?, '$[*]' columns (t varchar(31) ${EXACT} path '$[0]', i varchar(${LONGEST_IDENTITY}) ${EXACT} path '$[1]',
       g bigint path '$[2]', d bigint path '$[3]')) as j`,
    [JSON.stringify(rows.map(({ type, identity, granted, denied }) => [type, identity, granted, denied]))],
  );
}

/** Gives how many signatures were other than what was given. */
async function merge(
  session: MariadbSession,
  { type, isNumber }: StoreOptions,
  complete: boolean,
): Promise<number> {
  const table = `${SCHEMA}.${quoteName(`signatures_${type}`)}`;
  // What is no whole number is in no column of whole numbers.
  const usable = isNumber ? isNumberText('g.identity') : 'true';
  const number = 'cast(g.identity as signed)';
  // Nobody is known by the number of another, as somebody who changed the table may have it.
  const freed = isNumber
    ? await session.change(
        `delete s from ${SCHEMA}.given as g straight_join ${table} as s on s.number = case when ${usable} then ${number} end
         where g.type = ? and s.identity <> g.identity`,
        [type],
      )
    : 0;
  const updated = await session.change(
    `update ${table} as s join ${SCHEMA}.given as g on g.identity = s.identity and g.type = ? and ${usable}
     set s.granted = g.granted, s.denied = g.denied${isNumber ? `, s.number = ${number}` : ''}
     where s.granted <> g.granted or s.denied <> g.denied${isNumber ? ` or s.number <> ${number}` : ''}`,
    [type],
  );
  const inserted = await session.change(
    `insert into ${table} (identity, ${isNumber ? 'number, ' : ''}granted, denied)
     select g.identity, ${isNumber ? `${number}, ` : ''}g.granted, g.denied from ${SCHEMA}.given as g
     where g.type = ? and ${usable} and not exists (select 1 from ${table} as s where s.identity = g.identity)`,
    [type],
  );
  if (!complete) return freed + updated + inserted;
  const removed = await session.change(
    `delete s from ${table} as s left join ${SCHEMA}.given as g on g.identity = s.identity and g.type = ? and ${usable} where g.identity is null`,
    [type],
  );
  return freed + updated + inserted + removed;
}

async function requireTable(session: MariadbSession, name: string, key: string): Promise<void> {
  const rows = await session.rows(
    'select 1 from information_schema.tables where table_schema = ? and table_name = ?',
    [SCHEMA, name],
  );
  if (rows.length === 0) throw notInstalled(key);
}
