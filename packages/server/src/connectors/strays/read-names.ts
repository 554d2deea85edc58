import { HabeasError } from '../../foundation/index.ts';
import type { NamedThing, NamedThings, NamePattern } from '../named-things.ts';
import { comparedKey } from './compared-key.ts';
import type { Comparison } from './comparison.ts';
import type { StrayProblem } from './stray-report.ts';
import type { NameRecord, StrayTable } from './stray-table.ts';

export interface ReadNames {
  /** `partly`: something is closed to Habeas, and what names it is not known. */
  readonly extent: 'whole' | 'partly' | 'not';
  readonly problems: readonly StrayProblem[];
}

/** Groups of derived names follow those of the comparison: one for each pattern. */
export function groupOfOriginal(comparison: Pick<Comparison, 'groups'>, pattern: number): number {
  return comparison.groups.length + pattern;
}

/** Puts the names of a store into the table. */
export async function readNames(options: {
  /** How messages name the store. */
  readonly key: string;
  readonly named: NamedThings;
  readonly patterns: readonly NamePattern[];
  readonly comparison: Comparison;
  readonly table: StrayTable;
  /** Younger than this is young. */
  readonly before: Date;
  readonly signal: AbortSignal;
}): Promise<ReadNames> {
  const { key, named, comparison, table, before, signal } = options;
  const closed = new Set<string>();
  try {
    for await (const found of named.read(signal)) {
      if ('closed' in found) closed.add(found.closed);
      else {
        table.addName({
          name: found.name,
          isYoung: found.changedAt > before,
          isHidden: found.isHidden === true,
          pattern: found.pattern,
          keys: keysOf(found, options),
        });
        for (const { pattern, text } of found.originalBy)
          table.addOriginal(groupOfOriginal(comparison, pattern), text);
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    const { code, message } = HabeasError.from(error);
    return { extent: 'not', problems: [{ message: `${key} could not be looked through: ${message}`, code }] };
  }
  if (closed.size === 0) return { extent: 'whole', problems: [] };
  const folders = closed.size === 1 ? 'A folder' : `${closed.size} folders`;
  return {
    extent: 'partly',
    problems: [
      {
        message: `${folders} of ${key} may not be read by this user. Whether rows name what lies there is not known, nor what was made from it.`,
      },
    ],
  };
}

function keysOf(
  { pattern, readings }: NamedThing,
  { patterns, comparison }: { readonly patterns: readonly NamePattern[]; readonly comparison: Comparison },
): NameRecord['keys'] {
  const tells = patterns[pattern]?.tells;
  const groups = comparison.ofPattern[pattern];
  if (groups === undefined || tells === undefined || tells === 'original')
    return readings.flatMap((texts) =>
      texts.map((key) => ({ group: groupOfOriginal(comparison, pattern), key })),
    );
  return groups.flatMap((group, part) => {
    const identities = comparison.groups[group]?.identities ?? [];
    // A group has all identities of the name, or one of them.
    const isWhole = groups.length === 1;
    return readings.map((values) => ({
      group,
      key: comparedKey(identities, isWhole ? values : values.slice(part, part + 1)),
    }));
  });
}
