import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { ListSection } from '../parts/list-section.tsx';
import { Name, Words } from '../parts/name.tsx';
import { ToneBadge } from '../parts/tone-badge.tsx';
import { purposesQuery } from './queries.ts';
import { LEGAL_BASIS_WORDS, nameOf } from './words.ts';

/** What data may be used for, and what holds for people of whom nothing is known. */
export function Purposes() {
  return (
    <ListSection
      title="Purposes"
      query={useQuery(purposesQuery)}
      none="There are no purposes yet: consent in habeas.yaml names the file that lists them."
      head={['Purpose', 'Legal basis', 'Before somebody said anything', 'Data', 'Global Privacy Control']}
      keyOf={({ code }) => code}
      cells={(purpose) => [
        <div key="name">
          <Name>{nameOf(purpose)}</Name>
          <Text size="sm" c="dimmed" ff="monospace">
            {purpose.code}
          </Text>
        </div>,
        LEGAL_BASIS_WORDS[purpose.legal_basis],
        <ToneBadge key="default" tone={purpose.allowed_by_default ? 'watch' : 'quiet'}>
          {purpose.allowed_by_default ? 'allowed' : 'not allowed'}
        </ToneBadge>,
        <Words key="data">{purpose.data_categories.join(', ')}</Words>,
        purpose.gpc ? 'opts out of it' : '',
      ]}
    />
  );
}
