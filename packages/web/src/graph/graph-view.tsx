import '@xyflow/react/dist/style.css';
import './graph.css';
import { useMantineColorScheme } from '@mantine/core';
import {
  Background,
  Controls,
  type Edge,
  MarkerType,
  type Node,
  type NodeTypes,
  ReactFlow,
} from '@xyflow/react';
import { useMemo } from 'react';
import { Failure, Loading } from '../parts/states.tsx';
import { waysAround } from './around.ts';
import { AroundEdgePath } from './around-edge.tsx';
import type { LayoutGraph } from './layout.ts';
import { useLayout } from './use-layout.ts';

export interface DrawnNode extends Omit<Node, 'position'> {
  readonly width: number;
  readonly height: number;
}

export interface GraphViewProps {
  readonly label: string;
  /** Their positions are found here. */
  readonly nodes: readonly DrawnNode[];
  readonly edges: readonly Edge[];
  readonly nodeTypes: NodeTypes;
  /** Pixels. */
  readonly height: number;
  /** Told of the node or edge that is chosen, by pointer or keyboard; undefined: none. (Default: nothing can be chosen) */
  readonly select?: (id: string | undefined) => void;
}

const EDGE_TYPES = { around: AroundEdgePath };
/** Only boxes count for what fits; ways around them need room, too. */
const AROUND_PADDING = { x: 0.08, top: 0.08, bottom: '80px' } as const;

export const layoutGraphOf = (nodes: readonly DrawnNode[], edges: readonly Edge[]): LayoutGraph => ({
  nodes: nodes.map(({ id, width, height }) => ({ id, width, height })),
  edges: edges.map(({ source, target }) => ({ from: source, to: target })),
});

/** A graph that is looked at, not edited: moved by pointer and keyboard, its nodes and edges can be chosen. */
export function GraphView({ label, nodes, edges, nodeTypes, height, select }: GraphViewProps) {
  const { colorScheme } = useMantineColorScheme();
  const { data: positions, error } = useLayout(layoutGraphOf(nodes, edges));
  const placed = useMemo(
    () => nodes.map((node): Node => ({ ...node, position: positions?.get(node.id) ?? { x: 0, y: 0 } })),
    [nodes, positions],
  );
  const ways = useMemo(() => {
    const graph = layoutGraphOf(nodes, edges);
    return waysAround(graph.nodes, graph.edges, positions ?? new Map());
  }, [nodes, edges, positions]);
  const drawn = useMemo(
    () =>
      edges.map((edge, index): Edge => {
        const way = ways.get(index);
        const around = way === undefined ? {} : { type: 'around', data: { way } };
        return { markerEnd: { type: MarkerType.ArrowClosed }, ...edge, ...around };
      }),
    [edges, ways],
  );
  if (error !== null) return <Failure error={error} />;
  if (positions === undefined) return <Loading rows={4} />;
  const choose = (
    changes: readonly { readonly type: string; readonly id?: string; readonly selected?: boolean }[],
  ) => {
    const chosen = changes.find(({ type, selected }) => type === 'select' && selected === true);
    if (chosen !== undefined) select?.(chosen.id);
  };
  return (
    <section aria-label={label} className="graph" style={{ height }}>
      <ReactFlow
        // Another graph is another picture, seen whole at first.
        key={[...positions.keys()].join('\0')}
        nodes={placed}
        edges={drawn}
        nodeTypes={nodeTypes}
        edgeTypes={EDGE_TYPES}
        colorMode={colorScheme === 'auto' ? 'system' : colorScheme}
        fitView
        fitViewOptions={{ maxZoom: 1, padding: ways.size === 0 ? 0.08 : AROUND_PADDING }}
        minZoom={0.05}
        nodesDraggable={false}
        nodesConnectable={false}
        elementsSelectable={select !== undefined}
        nodesFocusable
        edgesFocusable={select !== undefined}
        onlyRenderVisibleElements={nodes.length > 100}
        deleteKeyCode={null}
        onNodesChange={choose}
        onEdgesChange={choose}
        onPaneClick={() => select?.(undefined)}
        proOptions={{ hideAttribution: true }}
      >
        <Background />
        <Controls showInteractive={false} />
      </ReactFlow>
    </section>
  );
}
