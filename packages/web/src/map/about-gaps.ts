import type { GapView } from '@habeas/contract/api';
import type { MapLink, MapNode } from './collapse.ts';

/** Gaps of a node: of its services, of its team as a whole, and of data types without a category that are stored there. */
export function gapsOfNode(node: MapNode, gaps: readonly GapView[]): readonly GapView[] {
  return gaps.filter(({ service, team, data_type: type }) => {
    if (service !== null) return node.services.includes(service);
    if (team !== null) return node.kind === 'team' && team === node.team;
    return type !== null && node.stores.includes(type);
  });
}

/** Gaps of a link: of the data types that it carries, as far as they are about who sends it or about nobody. */
export function gapsOfLink(link: MapLink, gaps: readonly GapView[]): readonly GapView[] {
  const senders = new Set(link.flows.map(({ from }) => from));
  return gaps.filter(
    ({ service, data_type: type }) =>
      type !== null && link.dataTypes.includes(type) && (service === null || senders.has(service)),
  );
}
