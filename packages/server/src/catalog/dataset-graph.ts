import { HabeasError } from '../foundation/index.ts';
import { isLinkCategory, isPersonalCategory } from './data-categories.ts';
import type { Collection, Dataset, Field, Identification, OnErase, Reference, Share } from './dataset.ts';
import type { Finding, FindingCode } from './finding.ts';
import { didYouMean } from './suggest.ts';

/** One way from rows that were found to rows of another collection, or of the same. */
export interface Edge {
  /** Unique among the edges that end in the same collection. */
  readonly name: string;
  readonly from: string;
  readonly fromColumns: readonly string[];
  readonly to: string;
  readonly toColumns: readonly string[];
  /** Which end's columns point at the other end, the way a foreign key does. That end is the child. */
  readonly heldBy: 'from' | 'to';
  /** What erasure does to the rows that it finds. */
  readonly onErase: OnErase;
  readonly share: Share;
  /** Fields of a found row that are about the person it is found from. */
  readonly fields: readonly string[];
  readonly reference: Reference;
}

/** A field by which people are found. */
export interface Root {
  readonly column: string;
  readonly identity: Identification;
}

/** A field that says something of a person. */
export interface PersonalField {
  readonly field: Field;
  readonly categories: readonly string[];
  /** Whether its categories only say that it names a record: no target where it links rows. */
  readonly onlyLinks: boolean;
}

export interface Node {
  readonly name: string;
  readonly dataset: Dataset;
  readonly collection: Collection;
  readonly roots: readonly Root[];
  /** Fields with a category under `user`, with these categories. */
  readonly personal: readonly PersonalField[];
  readonly incoming: readonly Edge[];
  readonly outgoing: readonly Edge[];
}

/** The collections of one connection and the references between them, in both directions. */
export interface DatasetGraph {
  readonly nodes: ReadonlyMap<string, Node>;
  /** References that lead nowhere, or out of this connection. */
  readonly findings: readonly Finding[];
}

interface OpenNode extends Node {
  readonly incoming: Edge[];
  readonly outgoing: Edge[];
}

/**
 * Builds the graph of all datasets of one connection. A reference that leads nowhere is a finding and not an error: what it would
 * reach becomes a gap, and the rest still works. Throws DATASET_INVALID when two datasets name the same collection.
 */
export function buildDatasetGraph(datasets: readonly Dataset[]): DatasetGraph {
  const nodes = new Map<string, OpenNode>();
  for (const dataset of datasets) {
    for (const collection of dataset.collections) {
      const other = nodes.get(collection.name);
      if (other !== undefined) {
        throw new HabeasError(
          'DATASET_INVALID',
          `The datasets ${other.dataset.key} and ${dataset.key} both name the collection "${collection.name}". One connection has each collection once.`,
          { place: dataset.placeOf(collection.path) },
        );
      }
      nodes.set(collection.name, {
        name: collection.name,
        dataset,
        collection,
        roots: collection.fields.flatMap((field) =>
          field.identity === undefined ? [] : [{ column: field.name, identity: field.identity }],
        ),
        personal: personalFieldsOf(collection),
        incoming: [],
        outgoing: [],
      });
    }
  }
  const findings: Finding[] = [];
  const keys = new Set(datasets.map((dataset) => dataset.key));
  for (const node of nodes.values()) {
    for (const reference of node.collection.references) connect({ node, reference, nodes, keys, findings });
  }
  return { nodes, findings };
}

function personalFieldsOf(collection: Collection): readonly PersonalField[] {
  return collection.fields.flatMap((field) => {
    const categories = field.categories.filter(isPersonalCategory);
    return categories.length === 0
      ? []
      : [{ field, categories, onlyLinks: field.categories.every(isLinkCategory) }];
  });
}

interface ConnectOptions {
  readonly node: OpenNode;
  readonly reference: Reference;
  readonly nodes: ReadonlyMap<string, OpenNode>;
  readonly keys: ReadonlySet<string>;
  readonly findings: Finding[];
}

function connect(options: ConnectOptions): void {
  const { node, reference, nodes, keys, findings } = options;
  const { dataset } = node;
  const find = (severity: Finding['severity'], code: FindingCode, message: string) =>
    findings.push({ severity, code, message, place: dataset.placeOf(reference.path) });
  const where = `The reference "${reference.name}" of "${node.name}"`;
  const found = targetOf(reference, nodes);
  if (found === undefined) {
    if (keys.has(reference.dataset)) {
      const hint = didYouMean(reference.target, nodes.keys());
      find(
        'error',
        'reference-to-nowhere',
        `${where} leads to the collection "${reference.target}", which the dataset "${reference.dataset}" does not have.${hint}`,
      );
    } else {
      find(
        'warning',
        'reference-leaves-connection',
        `${where} leads to the dataset "${reference.dataset}", which is not part of this connection, and is not followed. Give the field an \`identity\` that the other system resolves.`,
      );
    }
    return;
  }
  const { target, targetColumns } = found;
  const unknown = [
    ...unknownFields(node.collection, reference.columns),
    ...unknownFields(target.collection, targetColumns),
    ...unknownFields(reference.direction === 'to' ? target.collection : node.collection, reference.fields),
  ];
  if (unknown.length > 0) {
    find('error', 'reference-to-unknown-field', `${where} names ${unknown.join(' and ')}.`);
    return;
  }
  const declaredEndHolds =
    !isKeyOf(node.collection, reference.columns) || isKeyOf(target.collection, targetColumns);
  if (reference.direction !== 'to') {
    join(target, node, {
      name: reference.name,
      from: target.name,
      fromColumns: targetColumns,
      to: node.name,
      toColumns: reference.columns,
      heldBy: declaredEndHolds ? 'to' : 'from',
      onErase: reference.onErase ?? node.collection.onErase,
      share: reference.share,
      fields: reference.fields,
      reference,
    });
  }
  if (reference.direction !== 'from') {
    join(node, target, {
      name: `${node.name}.${reference.name}`,
      from: node.name,
      fromColumns: reference.columns,
      to: target.name,
      toColumns: targetColumns,
      heldBy: declaredEndHolds ? 'from' : 'to',
      onErase: reference.onErase ?? target.collection.onErase,
      share: reference.share,
      fields: reference.direction === 'both' ? [] : reference.fields,
      reference,
    });
  }
}

function join(from: OpenNode, to: OpenNode, edge: Edge): void {
  if (from.collection.skip || to.collection.skip) return;
  from.outgoing.push(edge);
  to.incoming.push(edge);
}

/** The target's node. A dot may end the collection's name (`schema.table`) or lead into an object (`table.object`). */
function targetOf(
  reference: Reference,
  nodes: ReadonlyMap<string, OpenNode>,
): { readonly target: OpenNode; readonly targetColumns: readonly string[] } | undefined {
  const prefix = `${reference.dataset}.`;
  let name =
    reference.target.startsWith(prefix) && !nodes.has(reference.target)
      ? reference.target.slice(prefix.length)
      : reference.target;
  let inside = '';
  while (true) {
    const target = nodes.get(name);
    if (target !== undefined && target.dataset.key === reference.dataset) {
      return { target, targetColumns: reference.targetColumns.map((column) => inside + column) };
    }
    const dot = name.lastIndexOf('.');
    if (dot < 0) return undefined;
    inside = `${name.slice(dot + 1)}.${inside}`;
    name = name.slice(0, dot);
  }
}

function unknownFields(collection: Collection, names: readonly string[]): readonly string[] {
  return names
    .filter((name) => !collection.fields.some((field) => field.name === name))
    .map((name) => {
      const hint = didYouMean(
        name,
        collection.fields.map((field) => field.name),
      );
      return `the field "${name}", which "${collection.name}" does not have${hint === '' ? '' : ` (${hint.trim()})`}`;
    });
}

/** Whether the columns are the collection's whole key as the dataset says it. */
export function isKeyOf(collection: Collection, columns: readonly string[]): boolean {
  const declared = collection.fields.filter((field) => field.primaryKey).map((field) => field.name);
  const key = declared.length > 0 ? declared : collection.key;
  return key.length > 0 && key.length === columns.length && key.every((column) => columns.includes(column));
}
