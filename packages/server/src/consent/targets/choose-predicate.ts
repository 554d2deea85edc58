import { identifierText } from '../enforce/index.ts';
import type { ProtectedTable, TargetPurpose } from './target.ts';

/** The schema in a target that is Habeas' own. */
export const SCHEMA = 'habeas_consent';

/** How rows of people who did not agree are left out. */
export type PredicateForm = 'bitmap' | 'exists' | 'not-exists';

/** A purpose with its number in the target. */
export interface NumberedPurpose extends TargetPurpose {
  readonly number: number;
}

export interface Predicate {
  readonly form: PredicateForm;
  /** In words, for who asks why. */
  readonly why: string;
  /** The condition on a row of this alias. Never null. */
  readonly where: (alias: string) => string;
  /** What follows a table of this alias in `from`, so that its rows are those: the same condition, as PostgreSQL does it fastest. */
  readonly narrowed: (alias: string) => string;
}

/**
 * The cheapest exact condition for the table: one bit of a bitmap that is read once per statement where rows carry the person's number;
 * otherwise nobody who refused (purposes that are allowed until then), or somebody who agreed. Before the first sync nothing is seen.
 */
export function choosePredicate(table: ProtectedTable, purpose: NumberedPurpose): Predicate {
  const byText = textWhere(table, purpose);
  if (table.key !== undefined) {
    const where = bitmapWhere(table, table.key, { purpose, byText });
    const why = `"${table.key}" is the person's number: one bit of a bitmap`;
    return { form: 'bitmap', why, where, narrowed: (alias) => ` where ${where(alias)}` };
  }
  const how = { where: byText, narrowed: joinSaid(table, purpose) };
  return purpose.optOut
    ? {
        ...how,
        form: 'not-exists',
        why: `"${table.column}" is no number and ${purpose.code} is allowed until refused: nobody who is found, by a join, among those who refused`,
      }
    : {
        ...how,
        form: 'exists',
        why: `"${table.column}" is no number and ${purpose.code} needs consent: whoever is found, by a join, among those who agreed`,
      };
}

/** A text is looked up as it is written and, where nobody was found and it has letters beyond ASCII, in composed form, as identities are stored. */
function textWhere(table: ProtectedTable, purpose: NumberedPurpose): (alias: string) => string {
  return (alias) =>
    seen(isAmong(table, identityText(table, `${alias}.`), purpose), { table, purpose, alias });
}

/** PostgreSQL makes no join of `exists … or exists …`. Nobody has two signatures, so that an outer join makes no rows. */
function joinSaid(table: ProtectedTable, purpose: NumberedPurpose): (alias: string) => string {
  const byText = textWhere(table, purpose);
  const person = 'habeas_person';
  return (alias) => {
    if (composedText(table, `${alias}.`) === undefined) return ` where ${byText(alias)}`;
    const on = said(person, identityText(table, `${alias}.`), purpose);
    return ` left join ${signaturesTable(table.identity)} as ${person} on ${on} where ${seen(`${person}.identity is not null`, { table, purpose, alias })}`;
  };
}

interface SeenOptions {
  readonly table: ProtectedTable;
  readonly purpose: NumberedPurpose;
  readonly alias: string;
}

/** Whether a row may be seen; `found`: its person is, as written, among those who agreed or refused. */
function seen(found: string, { table, purpose, alias }: SeenOptions): string {
  const composed = composedText(table, `${alias}.`);
  const isSynced = `${covered(table, purpose)} is not null`;
  if (composed === undefined) return purpose.optOut ? `(${isSynced} and not ${found})` : found;
  const again = isAmong(table, composed.text, purpose);
  if (!purpose.optOut) return `(${found} or (${composed.differs} and ${again}))`;
  // `case`, or PostgreSQL would make an anti-join of it and look at the letters of every row before.
  return `(${isSynced} and case when ${found} then false when ${composed.differs} then not ${again} else true end)`;
}

function isAmong(table: ProtectedTable, text: string, purpose: NumberedPurpose): string {
  return `exists (select from ${signaturesTable(table.identity)} as s where ${said('s', text, purpose)})`;
}

/** Who is written like this, and agreed or refused. */
function said(row: string, text: string, { optOut, number }: NumberedPurpose): string {
  return `${row}.identity = ${text} and (${row}.${optOut ? 'denied' : 'granted'} & ${1n << BigInt(number)}) <> 0`;
}

interface BitmapOptions {
  readonly purpose: NumberedPurpose;
  /** Decides about rows whose person has no number yet. */
  readonly byText: (alias: string) => string;
}

/** A bitmap of larger numbers would be larger than 16 MB. */
export const LARGEST_KEY: number = 2 ** 27 - 1;

/** Whether a row's person, of whom no bit is known, may have said nothing; of other numbers nobody can note what was said. */
export function canBeUnknown(number: string): string {
  return `(${number} between 0 and ${LARGEST_KEY}) is not false`;
}

/** A bit beyond the bitmap is of nobody who is known: what holds is the default. `case`, because PostgreSQL would take one of two hundred rows to have a bit of 0. */
function bitmapWhere(table: ProtectedTable, key: string, { purpose, byText }: BitmapOptions) {
  const bits = `(select pg_catalog.string_agg(bits, ''::bytea order by chunk) from ${SCHEMA}.bitmaps where type = '${table.identity}' and purpose = ${purpose.number})`;
  const end = covered(table, purpose);
  return (alias: string) => {
    const value = `${alias}.${identifierText(key)}`;
    const rest = purpose.optOut ? `${end} is not null and ${canBeUnknown(value)}` : 'false';
    const unnumbered = key === table.column ? '' : `when ${value} is null then ${byText(alias)} `;
    return `(case when ${value} >= 0 and ${value} < ${end} then pg_catalog.get_bit(${bits}, ${value}) ${purpose.optOut ? '=' : '<>'} 0 ${unnumbered}else ${rest} end)`;
  };
}

/** How many bits the bitmap has; null before the first sync. */
function covered({ identity }: ProtectedTable, { number }: NumberedPurpose): string {
  return `(select covered from ${SCHEMA}.filled where type = '${identity}' and purpose = ${number})`;
}

/** The table of what people with identities of this type said. */
export function signaturesTable(type: string): string {
  return `${SCHEMA}.${identifierText(`signatures_${type}`)}`;
}

/** The identity of a row as it is written; of e-mail addresses as it is stored, which are one whatever their case and the blanks around them. */
export function identityText({ identity, column }: ProtectedTable, before = ''): string {
  const text = `${before}${identifierText(column)}::text`;
  // Whatever the collation of the column calls equal.
  return identity === 'email' ? `${SCHEMA}.email_identity(${text})` : `${text} collate pg_catalog."default"`;
}

/** The identity of a row in composed form, of a uuid in capital letters, and whether that can be another text; undefined: it has been composed already. */
export function composedText(
  table: ProtectedTable,
  before = '',
): { readonly text: string; readonly differs: string } | undefined {
  if (table.identity === 'email') return undefined;
  const text = identityText(table, before);
  if (table.isUuid === true) return { text: `pg_catalog.upper(${text})`, differs: 'true' };
  return {
    text: `pg_catalog.normalize(${text}, 'NFC')`,
    differs: `pg_catalog.octet_length(${text}) <> pg_catalog.length(${text})`,
  };
}
