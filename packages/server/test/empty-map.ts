import type { api } from '@habeas/contract';

const AT = '2026-03-01T12:00:00.000Z';

/** What nobody decided about, and cannot. */
export const UNDECIDED = { id: null, client: null, proposed_category: null, decision: null } as const;

/** The map of a company that has nothing. */
export const EMPTY_MAP: api.MapView = {
  at: AT,
  as_of: AT,
  filter: {},
  counts: { services: 0, teams: 0, data_types: 0, stores: 0, flows: 0, gaps: 0 },
  services: [],
  flows: [],
  stores: [],
  gaps: [],
  changes: null,
  teams: null,
};
