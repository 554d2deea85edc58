import type { Block, FileContent, PackagedFile } from './archive-file.ts';
import type { ColumnTypes } from './row-schema.ts';

/** One collection of one system, as it goes into a package. */
export interface PackagedCollection {
  readonly system: string;
  readonly name: string;
  /** In the order in which they were first seen. */
  readonly columns: readonly string[];
  readonly rows: number;
  /** Of all rows as JSON, one a line; undefined where nobody counted. */
  readonly bytes?: number | undefined;
  /** Types of the columns, and which every row has; with them the package gets a JSON Schema of the collection. */
  readonly types?: ColumnTypes | undefined;
  readonly required?: readonly string[] | undefined;
  /** The rows in stretches, each a JSON text, from this stretch on; the same ones whenever it is called. */
  read(from: number): AsyncIterable<readonly string[]>;
  /** The files that were written while it was collected; what is missing is made of the rows. */
  readonly files?:
    | {
        readonly json: FileContent;
        readonly csv: FileContent | undefined;
        /** The rows of a piece of the JSON, each a JSON text. */
        readonly rowsOf: (piece: Buffer) => readonly string[];
      }
    | undefined;
}

export interface NotIncluded {
  readonly system: string;
  readonly reason: string;
}

export interface ManifestInput {
  readonly organization: string;
  readonly requestId: string;
  readonly receivedAt: Date;
  readonly builtAt: Date;
  readonly collections: readonly PackagedCollection[];
  readonly notIncluded: readonly NotIncluded[];
}

/** Entries of a list that make one block. */
const BATCH = 1_000;

/** `manifest.json`: what is in the package, how to check it, and what is not in it and why. */
export async function* manifestBlocks(
  input: ManifestInput,
  files: readonly PackagedFile[],
  from: number,
): AsyncIterable<Block> {
  const head = {
    version: 1,
    organization: input.organization,
    request_id: input.requestId,
    received_at: input.receivedAt.toISOString(),
    built_at: input.builtAt.toISOString(),
  };
  const texts = [
    () => JSON.stringify(head, null, 2).replace(/\n\}$/, ''),
    ...list('collections', input.collections, ({ system, name, columns, rows }) => ({
      system,
      collection: name,
      columns,
      rows,
    })),
    ...list('files', files, ({ path, bytes, sha256 }) => ({ path, bytes, sha256 })),
    ...list('not_included', input.notIncluded, (entry) => entry),
    () => '\n}\n',
  ];
  for (const [index, text] of texts.entries())
    if (index >= from) yield { text: text(), last: index === texts.length - 1 };
}

/** A member whose list is made batch by batch: there may be a hundred thousand files. */
function list<Item>(
  name: string,
  items: readonly Item[],
  show: (item: Item) => object,
): readonly (() => string)[] {
  if (items.length === 0) return [() => `,\n  "${name}": []`];
  const batches = Array.from({ length: Math.ceil(items.length / BATCH) }, (_, batch) => () => {
    const shown = items
      .slice(batch * BATCH, (batch + 1) * BATCH)
      .map((item) => `    ${JSON.stringify(show(item))}`);
    return `${batch === 0 ? `,\n  "${name}": [\n` : ',\n'}${shown.join(',\n')}`;
  });
  return [...batches, () => '\n  ]'];
}
