import { Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { checkConnection, listConnections } from '../api/operations.ts';
import { BusyButton } from '../parts/busy-button.tsx';
import { ListSection } from '../parts/list-section.tsx';
import { Name, Words } from '../parts/name.tsx';
import { ToneBadge } from '../parts/tone-badge.tsx';
import { useMay } from '../session/session.tsx';

/** Systems of the configuration, and whether Habeas can do there what plans need. */
export function Systems() {
  const may = useMay('connections:write');
  const query = useQuery({
    queryKey: ['connections'],
    queryFn: async ({ signal }) => (await listConnections({}, signal)).items,
  });
  return (
    <ListSection
      title="Systems"
      query={query}
      none="No system is connected yet: connections in habeas.yaml name them."
      head={['System', 'Kind', 'Service', 'Team', 'Can', 'Check']}
      keyOf={({ key }) => key}
      cells={(one) => [
        <Name key="key">{one.key}</Name>,
        one.kind,
        <Name key="service">{one.service}</Name>,
        <Name key="team">{one.team}</Name>,
        one.capabilities.join(', '),
        may && <Check key="check" system={one.key} />,
      ]}
    />
  );
}

function Check({ system }: { readonly system: string }) {
  const checking = useMutation({ mutationFn: () => checkConnection({ key: system }) });
  const { data, error } = checking;
  return (
    <div role="status">
      <BusyButton
        size="compact-sm"
        variant="default"
        busy={checking.isPending}
        onClick={() => checking.mutate()}
      >
        Check
      </BusyButton>
      {data !== undefined && (
        <>
          <ToneBadge tone={data.ok ? 'good' : 'bad'}>{data.ok ? 'good' : 'not good'}</ToneBadge>
          {[data.message, ...data.problems].map((line) => (
            <Text key={line} size="sm" component="div">
              <Words>{line}</Words>
            </Text>
          ))}
        </>
      )}
      {error !== null && <Text size="sm">{error.message}</Text>}
    </div>
  );
}
