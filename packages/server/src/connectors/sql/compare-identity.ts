import type { CompiledCollection, CompiledRoot } from './compiled.ts';
import { quoteIdentifier } from './quote.ts';
import { spellable, spelledSql } from './spelling.ts';
import type { Comparison } from './sql-dialect.ts';

/** Compares a field by which people are found with these values, in every way in which Unicode writes them. */
export function compareIdentity(
  { dialect }: CompiledCollection,
  { live, identity }: CompiledRoot,
  values: readonly string[],
): Comparison | undefined {
  const { match, spelling } = identity;
  const given = spelling === undefined ? values : spellable(values, spelling);
  return dialect.compareWithValues({
    column: live,
    values: [...new Set(given.flatMap((value) => [value, ...otherForms(value)]))],
    match,
    spelled: spelledSql(dialect, spelling),
  });
}

/** Whether the field of the row `o` names whom the printed value `seen` names. */
export function namesTheSame(
  { dialect }: CompiledCollection,
  { live, identity }: CompiledRoot,
  seen: string,
): string {
  const at = `o.${quoteIdentifier(live.name)}`;
  const spelled = spelledSql(dialect, identity.spelling);
  return spelled === undefined
    ? dialect.hasPrinted(live, at, seen)
    : `${spelled(dialect.print(live, at))} = ${spelled(seen)}`;
}

/** A value with its letters composed and decomposed (NFC, NFD), where that makes another text of it. */
export function otherForms(value: string): readonly string[] {
  return [value.normalize('NFC'), value.normalize('NFD')].filter((form) => form !== value);
}
