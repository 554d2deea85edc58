import type { Keep, Spelling } from '../../catalog/index.ts';
import { buildDatasetGraph, type Dataset, type KeepRule, planTraversal } from '../../catalog/index.ts';
import type { Compiled } from '../usable-collections.ts';
import { type PathPattern, parsePattern } from './path-pattern.ts';

/** Parts of the path of a file that patterns of derived files may name. */
export const PARTS_OF_SOURCE = ['path', 'dir', 'name', 'stem'] as const;

/** A placeholder by which files are found. */
export interface IdentityField {
  readonly name: string;
  readonly type: string;
  readonly match: 'exact' | 'case-insensitive';
  /** Goes before `match` where values are compared and not looked up. (Default: each is written in one way) */
  readonly spelling?: Spelling | undefined;
}

/** A collection of files, ready to be searched. */
export interface FileCollection {
  readonly name: string;
  readonly paths: readonly PathPattern[];
  readonly derived: readonly PathPattern[];
  readonly identities: readonly IdentityField[];
  /** Why its files stay; undefined: they are deleted. */
  readonly keep: Keep | undefined;
}

export type CompiledFiles = Compiled<FileCollection>;

/** Reads the patterns of the datasets and weighs the duties to keep. */
export function compileFiles(options: {
  readonly datasets: readonly Dataset[];
  readonly keepRules: readonly KeepRule[];
  readonly now: Date;
}): CompiledFiles {
  const problems: string[] = [];
  const graph = buildDatasetGraph(options.datasets);
  const { collections: planned } = planTraversal(graph, options);
  const collections = [...planned.values()].map(({ node, actions, rootAction }): FileCollection => {
    const { name, collection } = node;
    const { files } = collection;
    if (files === undefined)
      problems.push(
        `The collection "${name}" does not say which files it is: give it \`habeas: { files: { path: … } }\`.`,
      );
    const identities = node.roots.map(
      ({ column, identity }): IdentityField => ({ name: column, type: identity.type, match: identity.match }),
    );
    const fields = new Set(identities.map((field) => field.name));
    const paths = (files?.path ?? []).flatMap((text) => read(text, problems));
    const derived = (files?.derived ?? []).flatMap((text) => read(text, problems));
    for (const pattern of paths) {
      if ([...pattern.fields].some((field) => fields.has(field))) continue;
      problems.push(
        `The path "${pattern.text}" of "${name}" names nobody: one of its placeholders has to be a field with an \`identity\`.`,
      );
    }
    for (const pattern of derived) {
      const parts: ReadonlySet<string> = new Set(PARTS_OF_SOURCE);
      if ([...pattern.fields].some((field) => fields.has(field) || parts.has(field))) continue;
      problems.push(
        `The derived path "${pattern.text}" of "${name}" does not say from which file: name ${PARTS_OF_SOURCE.map((part) => `{${part}}`).join(', ')} or a field with an \`identity\`.`,
      );
    }
    const action = rootAction === undefined ? undefined : actions[rootAction];
    const keep =
      action?.kind === 'keep' ? action.keep : action?.kind === 'delete' ? undefined : action?.kept[0]?.keep;
    if (action !== undefined && action.kind !== 'delete' && keep === undefined)
      problems.push(
        `A file cannot be masked: give "${name}" \`on_erase: delete\`, or \`keep\` with a reason.`,
      );
    if (keep?.until != null && 'column' in keep.until)
      problems.push(`Files have no columns: give "${name}" a date until which they are kept.`);
    return { name, paths, derived, identities, keep };
  });
  if (collections.length === 0) problems.push('The datasets name no collection of files.');
  return { collections, problems };
}

function read(text: string, problems: string[]): readonly PathPattern[] {
  const pattern = parsePattern(text);
  if (!('problem' in pattern)) return [pattern];
  problems.push(pattern.problem);
  return [];
}
