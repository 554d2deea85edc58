import type { Scope } from '@habeas/contract/api';

export interface Place {
  readonly to: '/' | '/requests' | '/tickets' | '/map' | '/connections' | '/audit';
  readonly label: string;
  /** Who may not do this is not led there. */
  readonly scope: Scope | undefined;
}

/** The pages of the dashboard, as the navigation shows them. */
export const PLACES: readonly Place[] = [
  { to: '/', label: 'Home', scope: undefined },
  { to: '/requests', label: 'Requests', scope: 'requests:read' },
  { to: '/tickets', label: 'Tickets', scope: 'tickets:read' },
  { to: '/map', label: 'Data map', scope: 'map:read' },
  { to: '/connections', label: 'Connections', scope: 'connections:read' },
  { to: '/audit', label: 'Audit', scope: 'audit:read' },
];
