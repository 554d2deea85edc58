import { Handle, type Node, type NodeProps, Position } from '@xyflow/react';
import { plain } from '../parts/plain.ts';
import { lineColor } from '../theme/line-color.ts';
import { COLOR_OF } from '../theme/tones.ts';
import type { MapNodeData } from './drawn.ts';
import { PROGRESS } from './progress.ts';

/** A team or a service: its name, whose it is, and what it holds. */
export function MapNodeBox({ data }: NodeProps<Node<MapNodeData>>) {
  const { node, look, gaps, progress } = data;
  const tone = progress && PROGRESS[progress].tone;
  const color = lineColor((tone && COLOR_OF[tone]) ?? look?.color ?? 'gray');
  return (
    <div
      className={`graph-node pattern-${look?.pattern ?? 'solid'}`}
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
        {progress !== undefined
          ? `${PROGRESS[progress].sign} ${PROGRESS[progress].words}`
          : node.stores.length === 0
            ? 'stores nothing'
            : `stores ${plain(node.stores.join(', ').slice(0, 200))}`}
      </span>
      <Handle type="source" position={Position.Right} />
    </div>
  );
}
