import type { MapView } from '@habeas/contract/api';
import type { ServiceProgress } from './progress.ts';
import type { MapSearch } from './search.ts';

/** What every way to show the map is given. */
export interface MapViewProps {
  readonly map: MapView;
  readonly search: MapSearch;
  /** How far the request of the address is at each service; undefined: there is none, or nobody knows yet. */
  readonly progress: ReadonlyMap<string, ServiceProgress> | undefined;
  readonly change: (changes: Partial<MapSearch>) => void;
}
