import type { ClientView } from '@habeas/contract/api';
import { Button, Group } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { listClients } from '../api/operations.ts';
import type { Act } from '../parts/act-dialog.tsx';
import { Instant } from '../parts/instant.tsx';
import { ListSection } from '../parts/list-section.tsx';
import { Name, Words } from '../parts/name.tsx';
import { ToneBadge } from '../parts/tone-badge.tsx';
import { useActs } from '../parts/use-acts.tsx';
import { useMay } from '../session/session.tsx';
import { clientActs } from './client-acts.ts';

const TONES = { proposed: 'watch', approved: 'good', rejected: 'quiet' } as const;

/** Addresses that teams published. Anybody who can publish a metric can publish one, so a person approves each. */
export function Addresses() {
  const may = useMay('connections:write');
  const [begin, dialog] = useActs();
  const query = useQuery({
    queryKey: ['clients'],
    queryFn: async ({ signal }) => (await listClients({}, signal)).items,
  });
  const actsOn = ({ id, state }: ClientView): readonly Act[] => {
    const { approve, reject } = clientActs(id);
    return [...(state === 'approved' ? [] : [approve]), ...(state === 'rejected' ? [] : [reject])];
  };
  return (
    <>
      <ListSection
        title="Addresses of teams"
        query={query}
        none="No team has published an address yet."
        head={['Team', 'Service', 'Address', 'State', 'Why', 'First seen', 'Acts']}
        keyOf={({ id }) => id}
        cells={(one) => [
          <Name key="team">{one.team}</Name>,
          one.service !== null && <Name key="service">{one.service}</Name>,
          <Name key="address">{one.address}</Name>,
          <ToneBadge key="state" tone={TONES[one.state]}>
            {one.state}
            {one.stale ? ', not seen any more' : ''}
          </ToneBadge>,
          one.reason !== null && <Words key="why">{one.reason}</Words>,
          <Instant key="at" at={one.first_seen} as="day" />,
          may && (
            <Group key="acts" gap="xs" wrap="nowrap">
              {actsOn(one).map((each) => (
                <Button key={each.label} size="compact-sm" variant="default" onClick={() => begin(each)}>
                  {each.label}
                </Button>
              ))}
            </Group>
          ),
        ]}
      />
      {dialog}
    </>
  );
}
