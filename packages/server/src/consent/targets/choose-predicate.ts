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
}

/**
 * The cheapest exact condition for the table: one bit of a bitmap that is read once per statement where rows carry the person's number;
 * otherwise nobody who refused (purposes that are allowed until then), or somebody who agreed. Before the first sync nothing is seen.
 */
export function choosePredicate(table: ProtectedTable, purpose: NumberedPurpose): Predicate {
  const byText = textWhere(table, purpose);
  if (table.key !== undefined) {
    const why = `"${table.key}" is the person's number: one bit of a bitmap`;
    return { form: 'bitmap', why, where: bitmapWhere(table, table.key, { purpose, byText }) };
  }
  return purpose.optOut
    ? {
        form: 'not-exists',
        why: `"${table.column}" is no number and ${purpose.code} is allowed until refused: an anti-join with those who refused`,
        where: byText,
      }
    : {
        form: 'exists',
        why: `"${table.column}" is no number and ${purpose.code} needs consent: a semi-join with those who agreed`,
        where: byText,
      };
}

function textWhere(table: ProtectedTable, purpose: NumberedPurpose): (alias: string) => string {
  const word = purpose.optOut ? 'denied' : 'granted';
  const people = signaturesTable(table.identity);
  const found = (alias: string) =>
    `exists (select from ${people} as s where s.identity = ${identityText(table, `${alias}.`)} and (s.${word} & ${1n << BigInt(purpose.number)}) <> 0)`;
  return purpose.optOut
    ? (alias) => `(${covered(table, purpose)} is not null and not ${found(alias)})`
    : found;
}

interface BitmapOptions {
  readonly purpose: NumberedPurpose;
  /** Decides about rows whose person has no number yet. */
  readonly byText: (alias: string) => string;
}

/** A bit beyond the bitmap is of nobody who is known: what holds is the default. `case`, because PostgreSQL would take one of two hundred rows to have a bit of 0. */
function bitmapWhere(table: ProtectedTable, key: string, { purpose, byText }: BitmapOptions) {
  const bits = `(select pg_catalog.string_agg(bits, ''::bytea order by chunk) from ${SCHEMA}.bitmaps where type = '${table.identity}' and purpose = ${purpose.number})`;
  const end = covered(table, purpose);
  const rest = purpose.optOut ? `${end} is not null` : 'false';
  return (alias: string) => {
    const value = `${alias}.${identifierText(key)}`;
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

/** The identity of a row as it is stored: e-mail addresses are one whatever their case and the blanks around them. */
export function identityText({ identity, column }: ProtectedTable, before = ''): string {
  const text = `${before}${identifierText(column)}::text`;
  return identity === 'email' ? `${SCHEMA}.email_identity(${text})` : text;
}
