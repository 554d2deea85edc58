import type { CollectionShape } from './collection-shape.ts';
import { guessField } from './column-guess.ts';
import { coverageOf } from './coverage.ts';
import { isLinkCategory, isPersonalCategory } from './data-categories.ts';
import type { Dataset } from './dataset.ts';
import { buildDatasetGraph, type DatasetGraph, type Node } from './dataset-graph.ts';
import type { Finding, Severity } from './finding.ts';
import { at, atField, type Report } from './lint-report.ts';
import { lintShapes } from './lint-shapes.ts';

export interface LintOptions {
  /** The live schema, to compare with. (Default: the dataset is only looked at by itself) */
  readonly shapes?: readonly CollectionShape[];
}

/**
 * Everything that is wrong or doubtful with the datasets of one connection: by themselves, against the taxonomy, and against the live schema.
 * Pure. Findings are in the order of the files, errors first at the same place. Throws DATASET_INVALID when two datasets name the same collection.
 */
export function lintDatasets(datasets: readonly Dataset[], options: LintOptions = {}): readonly Finding[] {
  const graph = buildDatasetGraph(datasets);
  const findings: Finding[] = [...datasets.flatMap((dataset) => dataset.findings), ...graph.findings];
  const report: Report = (severity, code, { dataset, path }, message) =>
    findings.push({ severity, code, message, place: dataset.placeOf(path) });
  lintReach(graph, report);
  for (const node of graph.nodes.values()) {
    if (node.collection.skip) continue;
    lintCategories(node, report);
    lintSharing(node, graph, report);
  }
  if (options.shapes !== undefined) lintShapes(graph, options.shapes, report);
  return findings.sort(byPlace);
}

function lintReach(graph: DatasetGraph, report: Report): void {
  const types = [...graph.nodes.values()].flatMap((node) => node.roots.map((root) => root.identity.type));
  // Where data ends by itself nobody has to be found.
  const first = [...graph.nodes.values()].find(({ collection }) => collection.lifetime === undefined);
  if (types.length === 0 && first !== undefined) {
    report(
      'error',
      'no-identity',
      { dataset: first.dataset, path: [] },
      'No field has an `identity`, so nobody can be found. Mark the field by which people are known, such as an e-mail address.',
    );
    return;
  }
  const coverage = coverageOf(graph, { identityTypes: types, keepRules: [], now: new Date(0) });
  for (const { collection, reason } of coverage.unreachable) {
    const node = graph.nodes.get(collection);
    if (node === undefined || node.collection.skip) continue;
    report(
      'warning',
      'unreachable',
      at(node),
      `"${collection}" cannot be reached: ${reason}. Add a reference or an identity; if it holds nothing personal, give it \`data_categories: [system.operations]\`.`,
    );
  }
}

function lintCategories(node: Node, report: Report): void {
  for (const field of node.collection.fields) {
    if (field.categories.length === 0) {
      const guess = guessField(node.name, lastPart(field.name));
      if (guess === undefined) continue;
      report(
        'warning',
        'category-missing',
        atField(node, field),
        `"${node.name}.${field.name}" sounds like ${guess.category} and has no data category, so it is neither masked nor reported. Give it one; \`system.operations\` if it is not personal.`,
      );
    }
    const isPersonal = field.categories.some(
      (category) => isPersonalCategory(category) && !isLinkCategory(category),
    );
    if (field.primaryKey && isPersonal && node.collection.onErase.kind !== 'delete') {
      report(
        'warning',
        'personal-key',
        atField(node, field),
        `"${node.name}.${field.name}" is personal and part of the key, which cannot be masked: a row that stays would keep it. Use \`on_erase: delete\`, or \`keep\` with a reason.`,
      );
    }
    if (field.keep !== undefined || field.mask === undefined) continue;
    if (field.categories.length > 0 && !field.categories.some(isPersonalCategory)) {
      report(
        'info',
        'unsupported-key',
        atField(node, field),
        `The mask of "${node.name}.${field.name}" is never used, because no category of it is under \`user\`.`,
      );
    }
  }
}

function lintSharing(node: Node, graph: DatasetGraph, report: Report): void {
  const intoParents = node.incoming.filter(
    (edge) => edge.heldBy === 'from' && edge.onErase.kind !== 'detach',
  );
  if (intoParents.some((edge) => edge.share === 'owned') && intoParents.length > 0) {
    for (const edge of intoParents.filter((candidate) => candidate.share === 'owned')) {
      const source = graph.nodes.get(edge.from);
      if (source === undefined) continue;
      report(
        'warning',
        'maybe-shared',
        { dataset: source.dataset, path: edge.reference.path },
        `Several rows of "${edge.from}" can point at one row of "${node.name}", and these may be of different people. Add \`share: shared\`, so that a row that somebody else still needs is left alone.`,
      );
    }
  }
  if (node.roots.length === 0) return;
  for (const edge of node.incoming) {
    const source = graph.nodes.get(edge.from);
    if (
      source === undefined ||
      source.roots.length === 0 ||
      edge.onErase.kind === 'detach' ||
      edge.share === 'shared'
    )
      continue;
    report(
      'warning',
      'reaches-other-persons',
      {
        dataset: edge.from === node.name || edge.heldBy === 'to' ? node.dataset : source.dataset,
        path: edge.reference.path,
      },
      `This reference leads from "${edge.from}" to "${node.name}", whose rows may be people of their own: they would be exported and erased with the person. Use \`on_erase: detach\` unless they are one person.`,
    );
  }
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

const RANK: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };

function byPlace(a: Finding, b: Finding): number {
  return (
    (a.place.file < b.place.file ? -1 : a.place.file > b.place.file ? 1 : 0) ||
    (a.place.line ?? 0) - (b.place.line ?? 0) ||
    (a.place.column ?? 0) - (b.place.column ?? 0) ||
    RANK[a.severity] - RANK[b.severity]
  );
}
