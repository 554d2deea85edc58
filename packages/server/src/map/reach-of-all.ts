import { strongComponents } from './strong-components.ts';
import { type Direction, edgesAt, endOf, type TypeGraph } from './type-graph.ts';

/**
 * How many services each service reaches, itself not counted, where each data type is followed by itself. What one
 * service reaches is one row of bits; services of a cycle share it, so that the whole costs one pass over the edges.
 */
export function reachOfAll(
  graphs: readonly TypeGraph[],
  services: readonly string[],
  direction: Direction,
): ReadonlyMap<string, number> {
  const numbers = new Map(services.map((service, number) => [service, number]));
  const words = Math.ceil(services.length / 32);
  const total = new Uint32Array(services.length * words);
  for (const graph of graphs) addReach({ graph, numbers, words, total, direction });
  return new Map(
    services.map((service, number) => {
      const row = total.subarray(number * words, (number + 1) * words);
      clearBit(row, number);
      return [service, row.reduce((sum, word) => sum + bitsIn(word), 0)];
    }),
  );
}

interface AddReachOptions {
  readonly graph: TypeGraph;
  readonly numbers: ReadonlyMap<string, number>;
  readonly words: number;
  readonly total: Uint32Array;
  readonly direction: Direction;
}

function addReach({ graph, numbers, words, total, direction }: AddReachOptions): void {
  // Only the services that this data type touches: most types touch few.
  const names = [...new Set([...graph.outgoing.keys(), ...graph.incoming.keys()])];
  const local = new Map(names.map((name, number) => [name, number]));
  const targets = names.map((name) =>
    edgesAt(graph, name, direction).flatMap((edge) => local.get(endOf(edge, direction)) ?? []),
  );
  const { of, count } = strongComponents(targets);
  const members = Map.groupBy(names.keys(), (node) => of[node] ?? 0);
  const rows = new Uint32Array(count * words);
  const rowOf = (component: number) => rows.subarray(component * words, (component + 1) * words);
  // A component comes after all that it reaches.
  for (let component = 0; component < count; component += 1) {
    const row = rowOf(component);
    for (const node of members.get(component) ?? []) {
      for (const target of targets[node] ?? []) {
        setBit(row, numbers.get(names[target] ?? ''));
        const reached = of[target] ?? component;
        if (reached !== component) unite(row, rowOf(reached));
      }
    }
    for (const node of members.get(component) ?? []) {
      const number = numbers.get(names[node] ?? '');
      if (number !== undefined) unite(total.subarray(number * words, (number + 1) * words), row);
    }
  }
}

function setBit(row: Uint32Array, number: number | undefined): void {
  if (number === undefined) return;
  row[number >>> 5] = (row[number >>> 5] ?? 0) | (1 << (number & 31));
}

function clearBit(row: Uint32Array, number: number): void {
  row[number >>> 5] = (row[number >>> 5] ?? 0) & ~(1 << (number & 31));
}

function unite(row: Uint32Array, other: Uint32Array): void {
  for (let word = 0; word < row.length; word += 1) row[word] = (row[word] ?? 0) | (other[word] ?? 0);
}

/** Ones among 32 bits (Warren, Hacker's Delight 5-1). */
function bitsIn(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
