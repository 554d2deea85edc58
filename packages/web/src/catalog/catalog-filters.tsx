import type { CatalogFilter, CatalogPage } from '@habeas/contract/api';
import { Button, Group, NativeSelect } from '@mantine/core';

export interface CatalogFiltersProps {
  readonly choices: CatalogPage['choices'] | undefined;
  readonly filter: CatalogFilter;
  readonly change: (changes: CatalogFilter) => void;
  readonly reset: () => void;
}

const FILTERS = [
  ['team', 'Team', 'teams'],
  ['system', 'System', 'systems'],
  ['service', 'Service', 'services'],
  ['data_type', 'Data type', 'data_types'],
  ['category', 'Category', 'categories'],
] as const;

/** What the catalog is asked for. The choices are those of the whole catalog, so that a filter can be changed for another one. */
export function CatalogFilters({ choices, filter, change, reset }: CatalogFiltersProps) {
  return (
    <Group align="flex-end" gap="sm" mb="sm" role="search" aria-label="Filter">
      {FILTERS.map(([name, label, of]) => {
        const chosen = filter[name];
        const all = new Set([...(choices?.[of] ?? []), ...(chosen === undefined ? [] : [chosen])]);
        return (
          <NativeSelect
            key={name}
            label={label}
            maw={200}
            value={chosen ?? ''}
            data={[{ value: '', label: 'Any' }, ...[...all].toSorted()]}
            onChange={({ currentTarget: { value } }) => change({ [name]: value === '' ? undefined : value })}
          />
        );
      })}
      {Object.values(filter).some((value) => value !== undefined) && (
        <Button variant="subtle" onClick={reset}>
          Show everything
        </Button>
      )}
    </Group>
  );
}
