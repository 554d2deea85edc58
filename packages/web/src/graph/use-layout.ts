import { useQuery } from '@tanstack/react-query';
import { layOut } from './lay-out.ts';
import type { LayoutGraph } from './layout.ts';

/** Where the nodes of a graph are. The same graph is laid out once, whatever its nodes say meanwhile. */
export function useLayout(graph: LayoutGraph) {
  return useQuery({
    queryKey: ['layout', graph],
    queryFn: () => layOut(graph),
    staleTime: Number.POSITIVE_INFINITY,
  });
}
