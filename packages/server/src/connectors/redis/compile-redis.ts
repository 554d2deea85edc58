import {
  buildDatasetGraph,
  type Dataset,
  type Identity,
  type Keep,
  type KeepRule,
  planTraversal,
} from '../../catalog/index.ts';
import type { Compiled } from '../usable-collections.ts';
import { type FieldValues, type KeyPattern, parseKeyPattern } from './key-pattern.ts';
import { writtenAs } from './redis-values.ts';

/** What of a key is a person's: all of it, or what fits within it. */
export type Within =
  | { readonly kind: 'key' }
  /** A field of a hash. */
  | { readonly kind: 'field'; readonly pattern: KeyPattern }
  /** A member of a set or sorted set, or an element of a list. */
  | { readonly kind: 'member'; readonly pattern: KeyPattern }
  /** An entry of a stream, by one of its fields. */
  | { readonly kind: 'entry'; readonly field: string; readonly pattern: KeyPattern };

/** A collection of keys, ready to be searched. */
export interface RedisCollection {
  readonly name: string;
  readonly keys: readonly KeyPattern[];
  readonly within: Within;
  readonly identities: readonly {
    readonly name: string;
    readonly type: string;
    readonly match: 'exact' | 'case-insensitive';
  }[];
  /** Why it stays; undefined: it is deleted. */
  readonly keep: Keep | undefined;
}

export type CompiledRedis = Compiled<RedisCollection>;

/** Reads what the datasets say about keys and weighs the duties to keep. */
export function compileRedis(options: {
  readonly datasets: readonly Dataset[];
  readonly keepRules: readonly KeepRule[];
  readonly now: Date;
}): CompiledRedis {
  const problems: string[] = [];
  const read = (text: string): readonly KeyPattern[] => {
    const pattern = parseKeyPattern(text);
    if (!('problem' in pattern)) return [pattern];
    problems.push(pattern.problem);
    return [];
  };
  const { collections: planned } = planTraversal(buildDatasetGraph(options.datasets), options);
  const collections = [...planned.values()].flatMap(
    ({ node, actions, rootAction }): readonly RedisCollection[] => {
      const { name, collection } = node;
      const { redis } = collection;
      if (redis === undefined) {
        problems.push(
          `The collection "${name}" does not say which keys it is: give it \`habeas: { redis: { key: … } }\`.`,
        );
        return [];
      }
      const identities = node.roots.map(({ column, identity }) => ({
        name: column,
        type: identity.type,
        match: identity.match,
      }));
      const keys = redis.key.flatMap(read);
      const within = withinOf(redis, read);
      if (within === undefined) return [];
      const known = new Set(identities.map((field) => field.name));
      for (const pattern of keys) {
        const fields = new Set([...pattern.fields, ...(within.kind === 'key' ? [] : within.pattern.fields)]);
        const strange = [...fields].find((field) => !known.has(field));
        if (strange !== undefined)
          problems.push(
            `The pattern "${pattern.text}" of "${name}" has {${strange}}, which is no field with an \`identity\`; use * for what differs.`,
          );
        else if (fields.size === 0)
          problems.push(
            `The pattern "${pattern.text}" of "${name}" names nobody: one placeholder has to be a field with an \`identity\`.`,
          );
      }
      const action = rootAction === undefined ? undefined : actions[rootAction];
      const keep = action?.kind === 'keep' ? action.keep : undefined;
      if (action !== undefined && action.kind !== 'delete' && action.kind !== 'keep')
        problems.push(
          `Keys cannot be masked: give "${name}" \`on_erase: delete\`, or \`keep\` with a reason.`,
        );
      if (keep?.until != null && 'column' in keep.until)
        problems.push(`Keys have no columns: give "${name}" a date until which they are kept.`);
      return [{ name, keys, within, identities, keep }];
    },
  );
  if (collections.length === 0 && problems.length === 0) problems.push('The datasets name no keys.');
  return { collections, problems };
}

function withinOf(
  redis: NonNullable<Dataset['collections'][number]['redis']>,
  read: (text: string) => readonly KeyPattern[],
): Within | undefined {
  const { part } = redis;
  if (part === undefined) return { kind: 'key' };
  const [pattern] = read(part.pattern);
  if (pattern === undefined) return undefined;
  return part.kind === 'entry' ? { kind: 'entry', field: part.field, pattern } : { kind: part.kind, pattern };
}

/** The values of a collection's placeholders that are known of a person. */
export function valuesOf(
  { identities: fields }: Pick<RedisCollection, 'identities'>,
  identities: readonly Identity[],
): ReadonlyMap<string, FieldValues> {
  return new Map(
    fields.map(({ name, type, match }) => {
      const own = identities.filter((identity) => identity.type === type);
      const values = [...new Set(own.flatMap(({ value }) => writtenAs(value, match)))];
      return [name, { values, match }] as const;
    }),
  );
}
