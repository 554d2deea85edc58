import { Handle, type Node, type NodeProps, Position } from '@xyflow/react';
import { plain } from '../parts/plain.ts';
import type { MapNodeData } from './drawn.ts';

/** A team or a service: its name, whose it is, and what it holds. */
export function MapNodeBox({ data }: NodeProps<Node<MapNodeData>>) {
  const { node, look, gaps } = data;
  const color = `var(--mantine-color-${look?.color ?? 'gray'}-filled)`;
  return (
    <div
      className="graph-node"
      style={{ ['--node-color' as string]: color, borderStyle: node.external ? 'dashed' : 'solid' }}
    >
      <Handle type="target" position={Position.Left} />
      {gaps > 0 && (
        <span className="node-sign" title={`${gaps} ${gaps === 1 ? 'gap' : 'gaps'}`}>
          ⚠ {gaps}
        </span>
      )}
      <b>
        <bdi>{plain(node.name.slice(0, 200))}</bdi>
      </b>
      <span>
        {look?.initials} ·{' '}
        {node.kind === 'team' ? (
          `${node.services.length} ${node.services.length === 1 ? 'service' : 'services'}`
        ) : (
          <bdi>{plain(node.team.slice(0, 200))}</bdi>
        )}
        {node.external && ', external'}
      </span>
      <span>
        {node.stores.length === 0
          ? 'stores nothing'
          : `stores ${plain(node.stores.join(', ').slice(0, 200))}`}
      </span>
      <Handle type="source" position={Position.Right} />
    </div>
  );
}
