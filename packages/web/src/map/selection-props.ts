import type { MapView, ReachView } from '@habeas/contract/api';
import type { DrawnMap } from './collapse.ts';
import type { MapSearch } from './search.ts';

/** What the panel beside the picture is given. */
export interface SelectionPanelProps {
  readonly map: MapView;
  readonly drawn: DrawnMap;
  readonly search: MapSearch;
  readonly change: (changes: Partial<MapSearch>) => void;
  readonly open: ReadonlySet<string>;
  readonly toggle: (team: string) => void;
  readonly reach: ReachView | undefined;
}
