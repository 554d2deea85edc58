import type { Effect, EraseMode, Retained } from './connector.ts';

/** What became of each collection of a store that either deletes things or keeps them. */
export function logicalEffects(
  counts: Readonly<Record<string, number>>,
  kept: readonly Retained[],
  mode: EraseMode,
): Readonly<Record<string, Effect>> {
  const erased = Object.entries(counts).map(([name, found]) => [
    name,
    { found, erased: mode === 'erase' ? found : 0, masked: 0, kept: 0, level: 'logical' as const },
  ]);
  const stayed = kept.map(({ collection, count }) => [
    collection,
    { found: count, erased: 0, masked: 0, kept: count, level: 'logical' as const },
  ]);
  return Object.fromEntries([...erased, ...stayed]);
}
