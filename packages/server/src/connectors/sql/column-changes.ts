import {
  type ChangeOrder,
  type FlagColumn,
  fieldsOfTarget,
  flagColumnsOf,
  type Keep,
  whyUnchangeable,
} from '../../catalog/index.ts';
import type { ChangeWork, FieldChange, FieldValue } from '../connector.ts';
import type { Compiled, CompiledCollection } from './compiled.ts';
import type { LiveColumn } from './live-table.ts';

/** A new value of one column, or a mark in it. */
export type ColumnChange = { readonly column: LiveColumn } & (
  | {
      readonly kind: 'value';
      /** What it becomes, as text; null: nothing. */
      readonly to: string | null;
      /** Only where this is the value now, as text; undefined: whatever it is. */
      readonly from: string | null | undefined;
      readonly match: 'exact' | 'case-insensitive';
      /** Why it is not changed after all, but counted. */
      readonly keep: Keep | undefined;
    }
  | {
      readonly kind: 'flag';
      readonly effect: 'set' | 'lift';
      /** What a boolean is while the flag is not set. */
      readonly lifted: false | null;
    }
);

export interface CollectionChange {
  readonly collection: CompiledCollection;
  readonly changes: readonly ColumnChange[];
}

/** What a work changes in which columns. Pure; what the live schema does not allow is told to `problems`, all of it. */
export function columnChanges(
  compiled: Compiled,
  options: { readonly system: string; readonly work: ChangeWork; readonly problems: string[] },
): readonly CollectionChange[] {
  const { system, work, problems } = options;
  return [...compiled.collections.values()].flatMap((collection): readonly CollectionChange[] => {
    const changes =
      work.kind === 'rectify'
        ? valueChanges(collection, { system, changes: work.changes, problems })
        : flagChanges(collection, { work, problems });
    if (changes.length === 0) return [];
    const { live, name, keyKind } = collection;
    if (!live.privileges.update) problems.push(`This user may not update the table "${live.shape.name}".`);
    if (keyKind === 'row')
      problems.push(
        `"${name}" has no key, so a changed row is not found again. Name one: \`habeas: { key: … }\`.`,
      );
    return [{ collection, changes }];
  });
}

function valueChanges(
  collection: CompiledCollection,
  options: {
    readonly system: string;
    readonly changes: readonly FieldChange[];
    readonly problems: string[];
  },
): readonly ColumnChange[] {
  const { node } = collection.planned;
  const { system } = options;
  const named = (target: string, field: string) => target === `${system}.${node.name}.${field}`;
  return node.collection.fields.flatMap((field): readonly ColumnChange[] => {
    if (whyUnchangeable(node, field) !== undefined) return [];
    const applying = options.changes.filter(({ target }) =>
      fieldsOfTarget(node, system, target).includes(field),
    );
    // Who names the field itself means it more than who names its category.
    const exact = applying.filter(({ target }) => named(target, field.name));
    const chosen = exact.length > 0 ? exact : applying;
    const column = collection.live.columns.get(field.name);
    if (chosen.length === 0 || column === undefined) return [];
    const reason = whyFixed(collection, column);
    if (reason !== undefined && field.unchanged === undefined)
      options.problems.push(
        `"${node.name}.${field.name}" ${reason}, so it cannot be corrected. Say \`fides_meta: { read_only: true }\`, and its team gets a ticket.`,
      );
    return chosen.map((change) => ({
      kind: 'value',
      column,
      to: textOf(change.to),
      from: change.from === undefined ? undefined : textOf(change.from),
      match: field.identity?.match ?? 'exact',
      keep: field.unchanged,
    }));
  });
}

function flagChanges(
  collection: CompiledCollection,
  options: { readonly work: Exclude<ChangeWork, { kind: 'rectify' }>; readonly problems: string[] },
): readonly ColumnChange[] {
  const { work, problems } = options;
  const order: Extract<ChangeOrder, { kind: 'flag' }> =
    work.kind === 'restrict'
      ? { kind: 'flag', flag: 'restriction', purposes: [] }
      : { kind: 'flag', flag: work.right, purposes: work.purposes };
  return flagColumnsOf(collection.planned.node, order).flatMap((flag): readonly ColumnChange[] => {
    const column = collection.live.columns.get(flag.column);
    const problem = column === undefined ? 'does not exist' : whyNoFlag(column, flag);
    if (column === undefined || problem !== undefined) {
      problems.push(
        `The column "${flag.column}" of "${collection.name}", a flag for ${flag.flag}, ${problem}.`,
      );
      return [];
    }
    const lifted = flag.lifted === undefined ? (column.notNull ? false : null) : flag.lifted;
    return [{ kind: 'flag', column, effect: work.effect, lifted }];
  });
}

function whyNoFlag(column: LiveColumn, flag: FlagColumn): string | undefined {
  if (column.category === 'B') {
    return column.notNull && flag.lifted === null ? 'may not be empty, but its `lifted` is null' : undefined;
  }
  if (!/^(timestamp|datetime)/.test(column.baseType)) return 'is neither a boolean nor a timestamp';
  return column.notNull ? 'may not be empty, so that it cannot be lifted' : undefined;
}

function whyFixed(collection: CompiledCollection, column: LiveColumn): string | undefined {
  if (collection.live.shape.primaryKey.includes(column.name)) return 'is a part of the key';
  if (column.generated === 'always' || column.generated === 'stored')
    return 'is written by the database alone';
  return undefined;
}

function textOf(value: FieldValue): string | null {
  return value === null ? null : String(value);
}
