import {
  buildDatasetGraph,
  type Dataset,
  type Keep,
  type KeepRule,
  planTraversal,
} from '../../catalog/index.ts';
import type { IdentityField } from '../files/compile-files.ts';
import { groupsOf, type NamedByGroups } from '../objects/sought-rows.ts';
import type { Compiled } from '../usable-collections.ts';

/** A collection of items, ready to be searched. */
export interface ItemCollection extends NamedByGroups {
  readonly table: string;
  readonly identities: readonly IdentityField[];
  /** Whether the whole table may be read where no key and no index leads to the items. */
  readonly scan: boolean;
  /** Why it stays; undefined: it is deleted. */
  readonly keep: Keep | undefined;
}

/** Reads what the datasets say about tables and weighs the duties to keep. */
export function compileDynamoDb(options: {
  readonly datasets: readonly Dataset[];
  readonly keepRules: readonly KeepRule[];
  readonly now: Date;
}): Compiled<ItemCollection> {
  const problems: string[] = [];
  const { collections: planned } = planTraversal(buildDatasetGraph(options.datasets), options);
  const collections = [...planned.values()].map(({ node, actions, rootAction }): ItemCollection => {
    const { name, collection } = node;
    const { table = name, scan = false, together = [] } = collection.dynamodb ?? {};
    const identities = node.roots.map(
      ({ column, identity: { type, match, spelling } }): IdentityField => ({
        name: column,
        type,
        match,
        spelling,
      }),
    );
    const action = rootAction === undefined ? undefined : actions[rootAction];
    const keep = action?.kind === 'keep' ? action.keep : undefined;
    if (action === undefined)
      problems.push(`No field of "${name}" has an \`identity\`, so no item of it names anybody.`);
    else if (action.kind !== 'delete' && action.kind !== 'keep')
      problems.push(
        `Items cannot be masked: give "${name}" \`on_erase: delete\`, or \`keep\` with a reason.`,
      );
    if (keep?.until != null && 'column' in keep.until)
      problems.push(`Give "${name}" a date until which it is kept: dates of single items are not read.`);
    return {
      name,
      table,
      scan,
      identities,
      groups: groupsOf(name, { together, identities, problems }),
      keep,
    };
  });
  if (collections.length === 0 && problems.length === 0) problems.push('The datasets name no tables.');
  return { collections, problems };
}
