import '@xyflow/react/dist/style.css';
import './graph.css';
import { useMantineColorScheme } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import {
  Background,
  Controls,
  type Edge,
  MarkerType,
  type Node,
  type NodeTypes,
  ReactFlow,
} from '@xyflow/react';
import { type ReactNode, useMemo } from 'react';
import { Failure, Loading } from '../parts/states.tsx';
import { layOut } from './lay-out.ts';
import type { LayoutGraph } from './layout.ts';

export interface DrawnNode extends Node {
  readonly id: string;
  readonly width: number;
  readonly height: number;
}

export interface GraphViewProps {
  readonly label: string;
  /** Their positions are found here. */
  readonly nodes: readonly Omit<DrawnNode, 'position'>[];
  readonly edges: readonly Edge[];
  readonly nodeTypes: NodeTypes;
  readonly height: number | string;
  readonly select?: (chosen: { readonly node?: string; readonly edge?: string } | undefined) => void;
  readonly children?: ReactNode;
}

/** A graph that is looked at, not edited: moved by pointer and keyboard, its nodes and edges can be chosen. */
export function GraphView({
  label,
  nodes,
  edges,
  nodeTypes,
  height,
  select,

  children,
}: GraphViewProps) {
  const { colorScheme } = useMantineColorScheme();
  const graph: LayoutGraph = {
    nodes: nodes.map(({ id, width, height: tall }) => ({ id, width, height: tall })),
    edges: edges.map(({ source, target }) => ({ from: source, to: target })),
  };
  // The same graph is laid out once, whatever its nodes say meanwhile.
  const { data: positions, error } = useQuery({
    queryKey: ['layout', graph],
    queryFn: () => layOut(graph),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const placed = useMemo(
    () => nodes.flatMap((node) => ({ ...node, position: positions?.get(node.id) ?? { x: 0, y: 0 } }) as Node),
    [nodes, positions],
  );
  if (error !== null) return <Failure error={error} />;
  if (positions === undefined) return <Loading rows={4} />;
  return (
    <section aria-label={label} className="graph" style={{ height }}>
      <ReactFlow
        // Another graph is another picture, seen whole at first.
        key={[...positions.keys()].join('\0')}
        nodes={placed}
        edges={edges.map((edge) => ({ markerEnd: { type: MarkerType.ArrowClosed }, ...edge }))}
        nodeTypes={nodeTypes}
        colorMode={colorScheme === 'auto' ? 'system' : colorScheme}
        fitView
        fitViewOptions={{ maxZoom: 1, padding: 0.08 }}
        minZoom={0.05}
        nodesDraggable={false}
        nodesConnectable={false}
        edgesFocusable={select !== undefined}
        nodesFocusable
        onlyRenderVisibleElements={nodes.length > 100}
        deleteKeyCode={null}
        onSelectionChange={({ nodes: [node], edges: [edge] }) =>
          select?.(node ? { node: node.id } : edge ? { edge: edge.id } : undefined)
        }
        proOptions={{ hideAttribution: true }}
      >
        <Background />
        <Controls showInteractive={false} />
        {children}
      </ReactFlow>
    </section>
  );
}
