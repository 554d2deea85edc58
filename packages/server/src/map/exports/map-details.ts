import type { api } from '@habeas/contract';

/** What a declaration may add about its data. */
export const DETAIL_NAMES = ['purpose', 'subject', 'retention', 'region'] as const;

export type StoreEntry = api.MapView['stores'][number];
export type FlowEntry = api.FlowView;
