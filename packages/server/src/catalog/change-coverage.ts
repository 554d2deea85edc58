import { type CoverageOptions, type KeptCoverage, planOf, reach, untilInWords } from './coverage.ts';
import { isPersonalCategory } from './data-categories.ts';
import type { Field, Flag, FlagColumn } from './dataset.ts';
import type { DatasetGraph, Node } from './dataset-graph.ts';

/** What is to be changed in a store without erasing: values of fields, or flags. */
export type ChangeOrder =
  | {
      readonly kind: 'rectify';
      /** Data categories, or fields as `system.collection.field`. */
      readonly targets: readonly string[];
    }
  | {
      readonly kind: 'flag';
      readonly flag: Flag;
      /** Of an objection. */
      readonly purposes: readonly string[];
    };

/** Where a store would be changed, where it would not, and why. */
export interface ChangeCoverage {
  readonly collections: readonly { readonly collection: string; readonly columns: readonly string[] }[];
  /** Values that stay as they are for a reason. */
  readonly kept: readonly (KeptCoverage & { readonly collection: string })[];
  /** A sentence each for what a person of the team has to do. */
  readonly byHand: readonly string[];
  /** A sentence each for what is good to know. */
  readonly remarks: readonly string[];
}

export interface ChangeCoverageOptions extends CoverageOptions {
  /** The key of the connection, as targets name it. */
  readonly system: string;
  readonly order: ChangeOrder;
}

/** Answers without a database what a change reaches. Pure; linear in collections and references. */
export function changeCoverageOf(graph: DatasetGraph, options: ChangeCoverageOptions): ChangeCoverage {
  const reached = reach(planOf(graph, options).collections, options.identityTypes);
  const nodes = [...graph.nodes.values()].filter((node) => reached.get(node.name)?.followed === true);
  return options.order.kind === 'rectify'
    ? rectifyCoverage(nodes, options.system, options.order)
    : flagCoverage(nodes, options.system, options.order);
}

/** The fields of a collection that a target names: those of its category, or the one that it is. */
export function fieldsOfTarget(
  node: Pick<Node, 'name' | 'collection'>,
  system: string,
  target: string,
): readonly Field[] {
  return node.collection.fields.filter(
    (field) => field.categories.includes(target) || target === `${system}.${node.name}.${field.name}`,
  );
}

/** Why no statement of ours can change the field; undefined: one can. */
export function whyUnchangeable(node: Pick<Node, 'collection'>, field: Field): string | undefined {
  if (field.readOnly) return 'the dataset says that it is read-only';
  if (field.primaryKey || node.collection.key.includes(field.name)) return 'it is a part of the key';
  if (field.name.includes('.')) return 'it lies inside another value';
  return undefined;
}

/** The columns that carry a flag; of an objection those of its purposes and of what these cover. */
export function flagColumnsOf(
  node: Pick<Node, 'collection'>,
  order: Extract<ChangeOrder, { kind: 'flag' }>,
): readonly FlagColumn[] {
  return node.collection.flags.filter(
    ({ flag, purpose }) =>
      flag === order.flag &&
      (purpose === null || order.purposes.some((objected) => coversPurpose(objected, purpose))),
  );
}

/** `marketing` covers itself and `marketing.advertising`. */
export function coversPurpose(general: string, particular: string): boolean {
  return particular === general || particular.startsWith(`${general}.`);
}

function rectifyCoverage(
  nodes: readonly Node[],
  system: string,
  order: Extract<ChangeOrder, { kind: 'rectify' }>,
): ChangeCoverage {
  const collections: { collection: string; columns: string[] }[] = [];
  const kept: (KeptCoverage & { collection: string })[] = [];
  const byHand: string[] = [];
  const remarks: string[] = [];
  for (const node of nodes) {
    const fields = [...new Set(order.targets.flatMap((target) => fieldsOfTarget(node, system, target)))];
    const columns: string[] = [];
    for (const field of fields) {
      const reason = whyUnchangeable(node, field);
      if (field.unchanged !== undefined)
        kept.push({
          collection: node.name,
          fields: [field.name],
          categories: field.categories.filter(isPersonalCategory),
          reason: field.unchanged.reason,
          legalBasis: field.unchanged.legalBasis,
          until: untilInWords(field.unchanged.until),
        });
      else if (reason === undefined) columns.push(field.name);
      else byHand.push(`${system}.${node.name}.${field.name} is not changed by Habeas: ${reason}.`);
    }
    if (columns.length === 0) continue;
    collections.push({ collection: node.name, columns });
    if (node.incoming.some((edge) => edge.share === 'shared'))
      remarks.push(`Rows of ${system}.${node.name} that another person reaches too are not changed.`);
  }
  return { collections, kept, byHand, remarks };
}

function flagCoverage(
  nodes: readonly Node[],
  system: string,
  order: Extract<ChangeOrder, { kind: 'flag' }>,
): ChangeCoverage {
  const flagged = nodes.flatMap((node) => {
    const columns = flagColumnsOf(node, order);
    return columns.length === 0 ? [] : [{ node, columns }];
  });
  const covered = new Set(flagged.flatMap(({ columns }) => columns.map(({ purpose }) => purpose)));
  const byHand = order.purposes
    .filter((purpose) => ![...covered].some((known) => known !== null && coversPurpose(purpose, known)))
    .map((purpose) => `${system} has no column for an objection to ${purpose}.`);
  const names = new Set(flagged.map(({ node }) => node.name));
  const unmarked = nodes
    .filter((node) => !names.has(node.name) && node.personal.length > 0)
    .map((node) => node.name);
  const where = [...names].join(', ');
  return {
    collections: flagged.map(({ node, columns }) => ({
      collection: node.name,
      columns: columns.map(({ column }) => column),
    })),
    kept: [],
    byHand: flagged.length === 0 ? [] : byHand,
    remarks:
      flagged.length === 0 || unmarked.length === 0
        ? []
        : [
            `${system} marks the person in ${where}; who uses ${unmarked.join(', ')} has to look there, because these have no column of their own for it.`,
          ],
  };
}
