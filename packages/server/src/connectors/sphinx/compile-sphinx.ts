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

/** A collection of documents, ready to be searched. */
export interface DocumentCollection extends NamedByGroups {
  /** Of searchd. */
  readonly index: string;
  /** The attribute of a plain index that marks documents for the command that takes them out; undefined: it needs none. */
  readonly mark: string | undefined;
  readonly identities: readonly IdentityField[];
  /** Why it stays; undefined: it is deleted. */
  readonly keep: Keep | undefined;
}

/** Names that stand in statements as they are. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Reads what the datasets say about indexes and weighs the duties to keep. */
export function compileSphinx(options: {
  readonly datasets: readonly Dataset[];
  readonly keepRules: readonly KeepRule[];
  readonly now: Date;
}): Compiled<DocumentCollection> {
  const problems: string[] = [];
  const { collections: planned } = planTraversal(buildDatasetGraph(options.datasets), options);
  const collections = [...planned.values()].map(({ node, actions, rootAction }): DocumentCollection => {
    const { name, collection } = node;
    const { index = name, mark, together = [] } = collection.sphinx ?? {};
    const identities = node.roots.map(
      ({ column, identity }): IdentityField => ({ name: column, type: identity.type, match: identity.match }),
    );
    for (const text of [index, ...(mark === undefined ? [] : [mark])])
      if (!NAME.test(text)) problems.push(`"${text}" of "${name}" is no name of an index or attribute.`);
    for (const field of identities)
      if (!field.name.split('.').every((part) => NAME.test(part)))
        problems.push(`"${field.name}" of "${name}" is no name of an attribute, nor a path into JSON.`);
    const action = rootAction === undefined ? undefined : actions[rootAction];
    const keep = action?.kind === 'keep' ? action.keep : undefined;
    if (action === undefined)
      problems.push(`No field of "${name}" has an \`identity\`, so no document of it names anybody.`);
    else if (action.kind !== 'delete' && action.kind !== 'keep')
      problems.push(
        `Documents of an index cannot be masked: give "${name}" \`on_erase: delete\`, or \`keep\` with a reason.`,
      );
    if (keep?.until != null && 'column' in keep.until)
      problems.push(`Give "${name}" a date until which it is kept: dates of single documents are not read.`);
    return {
      name,
      index,
      mark,
      identities,
      groups: groupsOf(name, { together, identities, problems }),
      keep,
    };
  });
  if (collections.length === 0 && problems.length === 0) problems.push('The datasets name no indexes.');
  return { collections, problems };
}
