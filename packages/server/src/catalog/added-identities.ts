import { type DatasetGraph, type Edge, isKeyOf, type Node } from './dataset-graph.ts';

/**
 * Identity types of which the rows of a person can tell a value that they were not found by. A collection in which people are found by one
 * address, and in no other way, tells what it was asked with, though maybe in other letters: `Ann@example.com` for `ann@example.com`. Pure;
 * linear in collections and references.
 */
export function addedIdentities(graph: DatasetGraph): ReadonlySet<string> {
  const waysBack = waysBackOf(graph);
  const types = new Set<string>();
  for (const node of graph.nodes.values()) {
    if (node.collection.skip || tellsWhatItWasAsked(node, waysBack)) continue;
    for (const { identity } of node.roots) if (identity.resolves) types.add(identity.type);
  }
  return types;
}

function tellsWhatItWasAsked(node: Node, waysBack: ReadonlySet<Edge>): boolean {
  const [root, ...others] = node.roots;
  if (root === undefined || others.length > 0) return false;
  if (!node.incoming.every((edge) => waysBack.has(edge))) return false;
  const { type, spelling } = root.identity;
  // Of other types nobody knows what else is the same: 7.00 is 7, and a telephone is written in many ways.
  return type === 'email' && spelling === undefined;
}

/**
 * References that lead from rows back to those that they were found from, and to no others: from the lines of an order to the order, where lines are
 * found through their order alone. Begins with all that lead to a key, and takes away those of collections that are found in another way too, until
 * none is left to take away. What is left finds nothing: the first row that was found by it would have been found before by the row that it comes from.
 */
function waysBackOf({ nodes }: DatasetGraph): ReadonlySet<Edge> {
  const ways = new Set<Edge>();
  for (const node of nodes.values())
    for (const edge of node.outgoing)
      if (node.roots.length === 0 && leadsToItsKey(edge, nodes)) ways.add(edge);
  // Grows while it is walked: where a way was taken away, the rows that it leads to are found by it.
  const suspects = new Set(nodes.values());
  for (const node of suspects) {
    suspects.delete(node);
    const finds = node.incoming.filter((edge) => !ways.has(edge));
    for (const way of node.outgoing) {
      if (finds.every((edge) => isOpposite(edge, way)) || !ways.delete(way)) continue;
      const parent = nodes.get(way.to);
      if (parent !== undefined) suspects.add(parent);
    }
  }
  return ways;
}

/** Whether it leads to the one row of another collection that has this key, and the reference is followed the other way, too. */
function leadsToItsKey(edge: Edge, nodes: DatasetGraph['nodes']): boolean {
  const parent = nodes.get(edge.to);
  return (
    parent !== undefined && edge.reference.direction === 'both' && isKeyOf(parent.collection, edge.toColumns)
  );
}

function isOpposite(one: Edge, other: Edge): boolean {
  return one.reference === other.reference && one !== other;
}
