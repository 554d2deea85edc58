import type { GapView } from '@habeas/contract/api';
import type { Edge } from '@xyflow/react';
import type { DrawnNode } from '../graph/graph-view.tsx';
import { plain } from '../parts/plain.ts';
import { lineColor } from '../theme/line-color.ts';
import { gapsOfNode } from './about-gaps.ts';
import type { DrawnMap, MapLink, MapNode, Mark } from './collapse.ts';
import { PROGRESS, type Progress, progressOfNode, type ServiceProgress } from './progress.ts';
import type { TeamLook } from './team-look.ts';

export const NODE_SIZE = { width: 190, height: 62 };

/** What a box of the picture is given. */
export interface MapNodeData extends Record<string, unknown> {
  readonly node: MapNode;
  readonly look: TeamLook | undefined;
  /** How many it has. */
  readonly gaps: number;
  /** Of the request whose progress is shown; undefined: it has no part in it, or there is none. */
  readonly progress: Progress | undefined;
}

/** What of the map stands out. */
export interface Emphasis {
  readonly looks: ReadonlyMap<string, TeamLook>;
  /** Services that data can end up in; undefined: nobody asked. */
  readonly reached: ReadonlySet<string> | undefined;
  readonly find?: string | undefined;
  readonly chosen: string | undefined;
  readonly gaps: readonly GapView[];
  /** Of the request whose progress is shown; undefined: of none. */
  readonly progress: ReadonlyMap<string, ServiceProgress> | undefined;
}

/** Marks stand in the words of a link, too: colour is never the only sign. */
export const MARKS: Readonly<Record<Mark, { readonly sign: string; readonly color: string }>> = {
  added: { sign: '+', color: lineColor('teal') },
  removed: { sign: '−', color: lineColor('red') },
  changed: { sign: '±', color: lineColor('yellow') },
};

export function nodesOf(
  { nodes }: DrawnMap,
  { looks, reached, find, chosen, gaps, progress }: Emphasis,
): readonly DrawnNode[] {
  const wanted = find?.toLowerCase();
  return nodes.map((node) => {
    const found =
      wanted === undefined ||
      [node.name, ...node.services].some((name) => name.toLowerCase().includes(wanted));
    const open = gapsOfNode(node, gaps).length;
    const state = progress && progressOfNode(node, progress);
    const apart = progress !== undefined && state === undefined;
    const away = reached !== undefined && !node.services.some((service) => reached.has(service));
    return {
      id: node.id,
      type: 'map',
      ...NODE_SIZE,
      selected: node.id === chosen,
      className: found && !away && !apart ? '' : 'faint',
      data: { node, look: looks.get(node.team), gaps: open, progress: state } satisfies MapNodeData,
      ariaLabel: `${node.kind} ${node.name}, ${node.services.length} services, stores ${node.stores.join(', ') || 'nothing'}${open === 0 ? '' : `, ${open} gaps`}${state === undefined ? '' : `, ${PROGRESS[state].words}`}`,
    };
  });
}

export function edgesOf(
  { links, nodes }: DrawnMap,
  { looks, reached, chosen }: Omit<Emphasis, 'find' | 'gaps' | 'progress'>,
): readonly Edge[] {
  const nodeOf = new Map(nodes.map((node) => [node.id, node]));
  return links.map((link) => {
    const [mark] = link.marks;
    const team = nodeOf.get(link.from)?.team ?? '';
    const look = looks.get(team);
    const away =
      reached !== undefined && !link.flows.some(({ from, to }) => reached.has(from) && reached.has(to));
    const color = mark === undefined ? lineColor(look?.color ?? 'gray') : MARKS[mark].color;
    return {
      id: link.id,
      source: link.from,
      target: link.to,
      selected: link.id === chosen,
      label: labelOf(link),
      className: away ? 'faint' : '',
      ariaLabel: `from ${nodeOf.get(link.from)?.name} to ${nodeOf.get(link.to)?.name}: ${link.dataTypes.join(', ')}`,
      style: {
        stroke: color,
        strokeWidth: link.id === chosen ? 3 : Math.min(1 + link.flows.length / 8, 4),
        ...(mark === 'removed' ? { strokeDasharray: '6 4' } : {}),
      },
    };
  });
}

const SHOWN_TYPES = 2;

/** `+ email, ip +3`. */
export function labelOf({ dataTypes, marks }: Pick<MapLink, 'dataTypes' | 'marks'>): string {
  const signs = marks.map((mark) => MARKS[mark].sign).join('');
  const types = dataTypes.slice(0, SHOWN_TYPES).map((type) => plain(type.slice(0, 24)));
  const rest = dataTypes.length - types.length;
  return [signs, types.join(', '), rest > 0 ? `+${rest}` : ''].filter((part) => part !== '').join(' ');
}
