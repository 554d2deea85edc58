import type { Spelling } from '../../catalog/index.ts';
import { BETWEEN_DIGITS, telephoneOf } from '../spelling.ts';
import type { SpelledSql } from './comparison.ts';
import type { SqlDialect } from './sql-dialect.ts';

/** `telephoneOf` in SQL as all stores understand it. */
function telephoneSql(text: string): string {
  const dense = BETWEEN_DIGITS.reduce((of, one) => `replace(${of}, '${one}', '')`, text);
  return `(case when ${dense} like '00%' then '+' || substr(${dense}, 3) else ${dense} end)`;
}

/** `mailboxOf` in SQL. */
function mailboxSql({ foldCase, placeOf }: Pick<SqlDialect, 'foldCase' | 'placeOf'>): SpelledSql {
  return (text) => {
    const folded = foldCase(text);
    const [plus, at] = [placeOf(folded, '+'), placeOf(folded, '@')];
    return `(case when ${plus} between 2 and ${at} and ${folded} not like '"%' then substr(${folded}, 1, ${plus} - 1) || substr(${folded}, ${at}) else ${folded} end)`;
  };
}

/** How texts of this spelling are compared; undefined: as they are. */
export function spelledSql(
  dialect: Pick<SqlDialect, 'foldCase' | 'placeOf'>,
  spelling: Spelling | undefined,
): SpelledSql | undefined {
  switch (spelling) {
    case 'telephone':
      return telephoneSql;
    case 'mailbox':
      return mailboxSql(dialect);
    case undefined:
      return undefined;
  }
}

/** Values that may name somebody: no telephone number is without digits. */
export function spellable(values: readonly string[], spelling: Spelling): readonly string[] {
  return spelling === 'telephone' ? values.flatMap((value) => telephoneOf(value) ?? []) : values;
}
