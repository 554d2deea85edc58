import type { TaskView } from '@habeas/contract/api';
import { Handle, type NodeProps, Position } from '@xyflow/react';
import { useMemo } from 'react';
import { GraphView } from '../graph/graph-view.tsx';
import { lineColor } from '../theme/line-color.ts';
import { COLOR_OF } from '../theme/tones.ts';
import { TASK_TONES } from './words.ts';

const SIZE = { width: 190, height: 58 };

/** The tasks of a plan and what each waits for. Their states change as they happen; their places stay. */
export function PlanGraph({ tasks }: { readonly tasks: readonly TaskView[] }) {
  const nodes = useMemo(
    () =>
      tasks.map((task) => ({
        id: task.key,
        type: 'task',
        ...SIZE,
        data: { task },
        ariaLabel: `${task.key}: ${task.state}`,
      })),
    [tasks],
  );
  const edges = useMemo(
    () =>
      tasks.flatMap(({ key, depends_on: before }) =>
        before.map((from) => ({ id: `${from}\0${key}`, source: from, target: key })),
      ),
    [tasks],
  );
  return (
    <GraphView label="The plan as a graph" nodes={nodes} edges={edges} nodeTypes={NODE_TYPES} height={420} />
  );
}

const NODE_TYPES = { task: TaskNode };

function TaskNode({ data }: NodeProps) {
  const { task } = data as { readonly task: TaskView };
  const color = COLOR_OF[TASK_TONES[task.state]];
  return (
    <div className="graph-node" style={{ ['--node-color' as string]: lineColor(color) }}>
      <Handle type="target" position={Position.Left} />
      <b>
        <bdi>{task.key}</bdi>
      </b>
      <span>
        {task.state}
        {task.failures > 0 && `, failed ${task.failures} times`}
      </span>
      <Handle type="source" position={Position.Right} />
    </div>
  );
}
