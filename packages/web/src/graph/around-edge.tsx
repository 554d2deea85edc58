import { BaseEdge, type Edge, type EdgeProps } from '@xyflow/react';
import { middleOf, pathOf, type Way } from './around.ts';

/** A link that is drawn around the boxes. */
export type AroundEdge = Edge<{ readonly way: Way }, 'around'>;

export function AroundEdgePath({ data, ...props }: EdgeProps<AroundEdge>) {
  const way = data?.way ?? [];
  const { x, y } = middleOf(way);
  const { id, label, style, markerEnd, interactionWidth } = props;
  return (
    <BaseEdge
      id={id}
      path={pathOf(way)}
      label={label}
      labelX={x}
      labelY={y}
      labelShowBg
      labelBgPadding={[2, 1]}
      {...(style === undefined ? {} : { style })}
      {...(markerEnd === undefined ? {} : { markerEnd })}
      {...(interactionWidth === undefined ? {} : { interactionWidth })}
    />
  );
}
