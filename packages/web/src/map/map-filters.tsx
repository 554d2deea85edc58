import type { MapView } from '@habeas/contract/api';
import { Button, Group, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { plain, short } from '../parts/plain.ts';
import { mapQuery } from './queries.ts';
import type { MapSearch } from './search.ts';

export interface MapFiltersProps {
  readonly map: MapView | undefined;
  readonly search: MapSearch;
  readonly change: (changes: Partial<MapSearch>) => void;
  readonly reset: () => void;
}

/** What the map is asked for. The choices are those of the whole map, so that a filter can be changed for another one. */
export function MapFilters({ map, search, change, reset }: MapFiltersProps) {
  const { data: whole = map } = useQuery(mapQuery(search.as_of === undefined ? {} : { as_of: search.as_of }));
  const types = [...(whole?.flows ?? []), ...(whole?.stores ?? [])];
  const select = (
    name: 'team' | 'service' | 'data_type' | 'category',
    label: string,
    values: readonly (string | null)[],
  ) => {
    const chosen = search[name];
    const all = new Set([
      ...values.filter((value) => value !== null),
      ...(chosen === undefined ? [] : [chosen]),
    ]);
    return (
      <NativeSelect
        label={label}
        maw={180}
        value={chosen ?? ''}
        data={[
          { value: '', label: 'Any' },
          ...[...all].toSorted().map((one) => ({ value: one, label: short(plain(one), 60) })),
        ]}
        onChange={({ currentTarget: { value } }) => change({ [name]: value === '' ? undefined : value })}
      />
    );
  };
  const date = (name: 'as_of' | 'compare_to', label: string) => (
    <TextInput
      type="date"
      label={label}
      value={search[name]?.slice(0, 10) ?? ''}
      onChange={({ currentTarget: { value } }) => change({ [name]: value === '' ? undefined : value })}
    />
  );
  return (
    <Group align="flex-end" gap="sm" mb="sm" role="search" aria-label="Filter">
      {select('team', 'Team', whole?.services.map(({ team }) => team) ?? [])}
      {select('service', 'Service', whole?.services.map(({ name }) => name) ?? [])}
      {select(
        'data_type',
        'Data type',
        types.map(({ data_type: type }) => type),
      )}
      {select(
        'category',
        'Category',
        types.flatMap(({ category }) => withParents(category)),
      )}
      {date('as_of', 'As of')}
      {date('compare_to', 'Compare to')}
      <TextInput
        label="Find"
        maw={160}
        value={search.find ?? ''}
        onChange={({ currentTarget: { value } }) => change({ find: value === '' ? undefined : value })}
      />
      {Object.keys(search).length > 0 && (
        <Button variant="subtle" onClick={reset}>
          Reset visualisation
        </Button>
      )}
    </Group>
  );
}

/** `user.contact.email` is also found as `user.contact`. */
function withParents(category: string | null): readonly string[] {
  const parts = category?.split('.') ?? [];
  return parts.slice(1).map((_, index) => parts.slice(0, index + 2).join('.'));
}
