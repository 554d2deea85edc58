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
  const drawn = useMemo(
    () => edges.map((edge): Edge => ({ markerEnd: { type: MarkerType.ArrowClosed }, ...edge })),
    [edges],
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
        colorMode={colorScheme === 'auto' ? 'system' : colorScheme}
        fitView
        fitViewOptions={{ maxZoom: 1, padding: 0.08 }}
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
