import type { Scope } from '@habeas/contract/api';

export interface Place {
  readonly to:
    | '/'
    | '/requests'
    | '/tickets'
    | '/holds'
    | '/map'
    | '/catalog'
    | '/consent'
    | '/policy'
    | '/connections'
    | '/audit'
    | '/settings';
  readonly label: string;
  /** Who may do none of these is not led there; none: everybody is. */
  readonly scopes: readonly Scope[];
}

/** The pages of the dashboard, as the navigation shows them. */
export const PLACES: readonly Place[] = [
  { to: '/', label: 'Home', scopes: [] },
  { to: '/requests', label: 'Requests', scopes: ['requests:read'] },
  { to: '/tickets', label: 'Tickets', scopes: ['tickets:read'] },
  { to: '/holds', label: 'Legal holds', scopes: ['holds:read'] },
  { to: '/map', label: 'Data map', scopes: ['map:read'] },
  { to: '/catalog', label: 'Catalog', scopes: ['map:read'] },
  { to: '/consent', label: 'Consent', scopes: ['consent:read', 'personal-data:read'] },
  { to: '/policy', label: 'Policy', scopes: ['policy:read'] },
  { to: '/connections', label: 'Connections', scopes: ['connections:read'] },
  { to: '/audit', label: 'Audit', scopes: ['audit:read'] },
  { to: '/settings', label: 'Settings', scopes: ['keys:read', 'members:read'] },
];
