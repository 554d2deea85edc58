import {
  buildDatasetGraph,
  type Dataset,
  type Keep,
  type KeepRule,
  type ObjectKeys,
  type ObjectRows,
  planTraversal,
} from '../../catalog/index.ts';
import type { IdentityField } from '../files/compile-files.ts';
import { type PathPattern, parsePattern } from '../files/path-pattern.ts';
import { parquetFormat } from '../parquet/parquet-format.ts';
import type { Compiled } from '../usable-collections.ts';
import { columnMasks } from './column-masks.ts';
import { csvFormat } from './csv.ts';
import { jsonLines } from './json-lines.ts';
import type { ColumnMask, RowChange, RowFormat } from './row-format.ts';
import { groupsOf } from './sought-rows.ts';

/** A collection of objects, ready to be searched. */
export interface ObjectCollection {
  readonly name: string;
  readonly patterns: readonly PathPattern[];
  readonly identities: readonly IdentityField[];
  /** Undefined: whole objects are somebody's. */
  readonly rows: RowCollection | undefined;
  readonly oldVersions: ObjectKeys['oldVersions'];
  readonly abortUploadsAfter: ObjectKeys['abortUploadsAfter'];
  /** Why it stays; undefined: it is erased. */
  readonly keep: Keep | undefined;
}

export interface RowCollection {
  readonly format: RowFormat;
  /** Fields that name a person, each group together. */
  readonly groups: readonly (readonly IdentityField[])[];
  readonly change: RowChange;
  /** Why values of masked rows stay. */
  readonly kept: readonly Keep[];
}

/** Reads what the datasets say about objects and weighs the duties to keep. */
export function compileObjects(options: {
  readonly datasets: readonly Dataset[];
  readonly keepRules: readonly KeepRule[];
  readonly now: Date;
}): Compiled<ObjectCollection> {
  const problems: string[] = [];
  const { collections: planned } = planTraversal(buildDatasetGraph(options.datasets), options);
  const collections = [...planned.values()].flatMap(
    ({ node, actions, rootAction }): readonly ObjectCollection[] => {
      const { name, collection } = node;
      const { objects } = collection;
      if (objects === undefined) {
        problems.push(
          `The collection "${name}" does not say which objects it is: give it \`habeas: { objects: { key: … } }\`.`,
        );
        return [];
      }
      const identities = node.roots.map(
        ({ column, identity }): IdentityField => ({
          name: column,
          type: identity.type,
          match: identity.match,
          spelling: identity.spelling,
        }),
      );
      const patterns = patternsOf(name, { objects, identities, problems });
      const action = rootAction === undefined ? undefined : actions[rootAction];
      if (action === undefined)
        problems.push(`No field of "${name}" has an \`identity\`, so nothing in it names anybody.`);
      const keep = action?.kind === 'keep' ? action.keep : undefined;
      if (keep?.until != null && 'column' in keep.until)
        problems.push(`Objects have no columns: give "${name}" a date until which they are kept.`);
      if (objects.rows === undefined) {
        if (action !== undefined && action.kind !== 'delete' && action.kind !== 'keep')
          problems.push(
            `Whole objects cannot be masked: give "${name}" \`on_erase: delete\`, \`keep\` with a reason, or the \`format\` of its rows.`,
          );
        if (objects.oldVersions === 'expire')
          problems.push(
            `\`old_versions: expire\` of "${name}" is for rows: whole objects go with all their versions.`,
          );
      }
      const targets = action !== undefined && 'targets' in action ? action.targets : undefined;
      const masks = columnMasks(targets ?? []);
      problems.push(...masks.filter((mask) => typeof mask === 'string'));
      const columns = masks.filter((mask): mask is ColumnMask => typeof mask !== 'string');
      const masked = new Set(columns.map(({ path }) => path.join('.')));
      const found = targets === undefined ? undefined : identities.find((field) => !masked.has(field.name));
      if (found !== undefined)
        problems.push(
          `Rows of "${name}" are found by "${found.name}", which would not be masked, so that they would still be found: give it a category under \`user\`, or \`on_erase: delete\`.`,
        );
      return [
        {
          name,
          patterns,
          identities,
          rows:
            objects.rows === undefined
              ? undefined
              : {
                  format: formatOf(objects.rows),
                  groups: groupsOf(name, { together: objects.rows.together, identities, problems }),
                  change: targets === undefined ? { kind: 'drop' } : { kind: 'mask', columns },
                  kept: action !== undefined && 'kept' in action ? action.kept.map((one) => one.keep) : [],
                },
          oldVersions: objects.oldVersions,
          abortUploadsAfter: objects.abortUploadsAfter,
          keep,
        },
      ];
    },
  );
  if (collections.length === 0 && problems.length === 0)
    problems.push('The datasets name no collection of objects.');
  return { collections, problems };
}

interface Reading {
  readonly identities: readonly IdentityField[];
  readonly problems: string[];
}

function patternsOf(
  name: string,
  { objects, identities, problems }: Reading & { readonly objects: ObjectKeys },
): readonly PathPattern[] {
  const fields = new Set(identities.map((field) => field.name));
  return objects.key.flatMap((text): readonly PathPattern[] => {
    const pattern = parsePattern(text);
    if ('problem' in pattern) problems.push(pattern.problem);
    else if (objects.rows !== undefined && pattern.fields.size > 0)
      problems.push(`The key "${text}" of rows has a placeholder; use * for what differs.`);
    else if (objects.rows === undefined && ![...pattern.fields].some((field) => fields.has(field)))
      problems.push(
        `The key "${text}" of "${name}" names nobody: one of its placeholders has to be a field with an \`identity\`.`,
      );
    else return [pattern];
    return [];
  });
}

function formatOf({ format, delimiter, columns }: ObjectRows): RowFormat {
  switch (format) {
    case 'json-lines':
      return jsonLines;
    case 'csv':
      return csvFormat({ delimiter, columns });
    case 'parquet':
      return parquetFormat;
    default:
      return format satisfies never;
  }
}
