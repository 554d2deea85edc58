import type { CatalogEntryView } from '@habeas/contract/api';
import { Group, Stack, Title } from '@mantine/core';
import { Facts } from '../parts/facts.tsx';
import { Instant } from '../parts/instant.tsx';
import { ButtonLink } from '../parts/links.tsx';
import { Name } from '../parts/name.tsx';

/** Where it is, in words: `customers.email of shop`, or a data type that no dataset places. */
export function nameOf({ collection, field, data_types: types, system }: CatalogEntryView): string {
  return field === null ? `${types.join(', ')} in ${system}` : `${collection}.${field} of ${system}`;
}

/** All that is known of one field, and the way to it on the map. */
export function EntryPanel({ entry }: { readonly entry: CatalogEntryView }) {
  const list = (words: readonly string[]) => words.length > 0 && <Name>{words.join(', ')}</Name>;
  const name = (word: string | null) => word !== null && <Name>{word}</Name>;
  return (
    <Stack component="section" aria-label="Entry" aria-live="polite" gap="xs" mb="md">
      <Title order={2}>
        <Name>{nameOf(entry)}</Name>
      </Title>
      <Facts
        facts={[
          { name: 'Service', value: name(entry.service) },
          { name: 'Team', value: name(entry.team) },
          { name: 'Kind of system', value: entry.connection_kind ?? 'no connection' },
          { name: 'Dataset', value: name(entry.dataset) },
          { name: 'Data categories', value: list(entry.categories) },
          { name: 'Data types', value: list(entry.data_types) },
          { name: 'Finds people by', value: name(entry.identity) },
          { name: 'Values are', value: entry.source },
          { name: 'Purposes', value: list(entry.purposes) },
          { name: 'Kept for', value: list(entry.retention) },
          { name: 'Last seen', value: entry.last_seen !== null && <Instant at={entry.last_seen} /> },
        ]}
      />
      <Group>
        <ButtonLink variant="default" size="compact-sm" to="/map" search={{ service: entry.service }}>
          Show on the map
        </ButtonLink>
      </Group>
    </Stack>
  );
}
