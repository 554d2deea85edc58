import type { MapView } from '@habeas/contract/api';
import type { MapSearch } from './search.ts';

/** What every way to show the map is given. */
export interface MapViewProps {
  readonly map: MapView;
  readonly search: MapSearch;
  readonly change: (changes: Partial<MapSearch>) => void;
}
