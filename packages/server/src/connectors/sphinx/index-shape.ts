import type { DocumentCollection } from './compile-sphinx.ts';
import type { SphinxClient } from './sphinx-client.ts';

/** What an index is, as searchd tells it. */
export interface IndexShape {
  /** `rt`: documents are changed one by one. `local`: a plain one, which `indexer` makes anew. */
  readonly type: string;
  /** Attributes by name → type. */
  readonly attributes: ReadonlyMap<string, string>;
  /** Full-text fields, whose text is not stored. */
  readonly fields: ReadonlySet<string>;
}

/** The shape of each index that is asked for; those that searchd does not serve are left out. */
export async function indexShapes(
  client: SphinxClient,
  indexes: Iterable<string>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, IndexShape>> {
  const served = new Map(
    (await client.ask('SHOW TABLES', { signal })).map(({ Index, Type }) => [Index ?? '', Type ?? '']),
  );
  const shapes = new Map<string, IndexShape>();
  for (const index of new Set(indexes)) {
    const type = served.get(index);
    if (type === undefined) continue;
    const rows = await client.ask(`DESCRIBE ${index}`, { signal });
    const parts = rows.map(({ Field, Type }) => [Field ?? '', Type ?? ''] as const);
    shapes.set(index, {
      type,
      attributes: new Map(parts.filter(([, kind]) => kind !== 'field')),
      fields: new Set(parts.filter(([, kind]) => kind === 'field').map(([name]) => name)),
    });
  }
  return shapes;
}

/** Types by which people are found. */
const FOUND_BY: ReadonlySet<string> = new Set(['uint', 'bigint', 'timestamp', 'string', 'json']);

/** What of a collection does not fit its index, one sentence each. */
export function misfits(
  { name, index, mark, identities }: DocumentCollection,
  shape: IndexShape | undefined,
  commands: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  if (shape === undefined) return [`searchd serves no index "${index}" ("${name}").`];
  if (shape.type !== 'rt' && shape.type !== 'local')
    return [
      `The index "${index}" ("${name}") is of the type ${shape.type}: name the local indexes that it is made of.`,
    ];
  const found: string[] = [];
  for (const field of identities) {
    const [attribute = '', ...path] = field.name.split('.');
    const type = shape.attributes.get(attribute);
    if (type === undefined)
      found.push(
        shape.fields.has(attribute)
          ? `"${attribute}" of the index "${index}" is only a full-text field, whose text is not stored, so that nobody can tell whose a document is: make it an attribute as well (rt_attr_string, sql_field_string).`
          : `The index "${index}" has no attribute "${attribute}" ("${name}").`,
      );
    else if (!FOUND_BY.has(type) || (type === 'json') !== path.length > 0)
      found.push(
        `People cannot be found by "${field.name}" of the index "${index}", which is of the type ${type}: an identity is a number, a text, or a path into JSON.`,
      );
  }
  const markType = mark === undefined ? undefined : shape.attributes.get(mark);
  if (shape.type === 'rt') {
    if (mark !== undefined)
      found.push(
        `The index "${index}" is of real time: its documents are deleted, so \`mark\` is not for it.`,
      );
    return found;
  }
  if (!commands.has(index))
    found.push(
      `The index "${index}" is a plain one: give the connection \`options: { commands: { ${index}: […] } }\`, which takes documents out of it.`,
    );
  if (mark !== undefined && markType !== 'uint')
    found.push(`The mark "${mark}" of the index "${index}" has to be an attribute of the type uint.`);
  return found;
}
