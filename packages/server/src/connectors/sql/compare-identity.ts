import type { CompiledCollection, CompiledRoot } from './compiled.ts';
import { quoteIdentifier } from './quote.ts';
import type { Comparison } from './sql-dialect.ts';
import { telephoneOf, telephoneSql } from './telephone.ts';

/** Compares a field by which people are found with these values, in every way in which Unicode writes them. */
export function compareIdentity(
  { dialect }: CompiledCollection,
  { live, identity }: CompiledRoot,
  values: readonly string[],
): Comparison | undefined {
  return identity.isTelephone === true
    ? dialect.compareWithValues({
        column: live,
        values: [...new Set(values.flatMap((value) => telephoneOf(value) ?? []))],
        match: 'telephone',
      })
    : dialect.compareWithValues({
        column: live,
        values: [...new Set(values.flatMap((value) => [value, ...otherForms(value)]))],
        match: identity.match,
      });
}

/** Whether the field of the row `o` names whom the printed value `seen` names. */
export function namesTheSame(
  { dialect }: CompiledCollection,
  { live, identity }: CompiledRoot,
  seen: string,
): string {
  const at = `o.${quoteIdentifier(live.name)}`;
  return identity.isTelephone === true
    ? `${telephoneSql(dialect.print(live, at))} = ${telephoneSql(seen)}`
    : dialect.hasPrinted(live, at, seen);
}

/** A value with its letters composed and decomposed (NFC, NFD), where that makes another text of it. */
export function otherForms(value: string): readonly string[] {
  return [value.normalize('NFC'), value.normalize('NFD')].filter((form) => form !== value);
}
