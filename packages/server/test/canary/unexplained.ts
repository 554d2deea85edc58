import type { api } from '@habeas/contract';
import type { Copy } from './canary-store.ts';
import type { MarkInFile } from './volumes.ts';

/** Marks that no residual of their person's receipt names with an end: how many by place and form. */
export function unexplained(
  marks: readonly MarkInFile[],
  {
    copies,
    residualsOf,
  }: {
    readonly copies: readonly Copy[];
    /** Of the store, in the receipt of a person. */
    readonly residualsOf: (person: MarkInFile['person']) => readonly api.EvidenceView['residuals'][number][];
  },
): readonly string[] {
  const counts = new Map<string, number>();
  for (const { path, form, person } of marks) {
    const copy = copies.find((one) => one.path.test(path))?.copy;
    const named = residualsOf(person).filter((residual) => copy !== undefined && residual.copy === copy);
    if (named.some(({ until }) => until !== null)) continue;
    const place = `${path}: ${form}${named.length > 0 ? ', named without an end' : ''}`;
    counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  return [...counts].map(([place, count]) => `${place}, ${count} times`);
}
