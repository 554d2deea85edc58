import type { Dataset, Field } from './dataset.ts';
import type { Node } from './dataset-graph.ts';
import type { FindingCode, Severity } from './finding.ts';

/** Takes a finding with the path in the file that it is about. */
export type Report = (
  severity: Severity,
  code: FindingCode,
  at: { readonly dataset: Dataset; readonly path: readonly PropertyKey[] },
  message: string,
) => void;

/** Where a collection is named. */
export function at(node: Node): { readonly dataset: Dataset; readonly path: readonly PropertyKey[] } {
  return { dataset: node.dataset, path: [...node.collection.path, 'name'] };
}

/** Where a field is named. */
export function atField(
  node: Node,
  field: Field,
): { readonly dataset: Dataset; readonly path: readonly PropertyKey[] } {
  return { dataset: node.dataset, path: [...field.path, 'name'] };
}
