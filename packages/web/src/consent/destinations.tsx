import type { ConsentDestination } from '@habeas/contract/api';
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { retryConsentPropagation } from '../api/operations.ts';
import type { Act } from '../parts/act-dialog.tsx';
import { ListSection } from '../parts/list-section.tsx';
import { Name, Words } from '../parts/name.tsx';
import { ToneBadge } from '../parts/tone-badge.tsx';
import { useActs } from '../parts/use-acts.tsx';
import { useMay } from '../session/session.tsx';
import { destinationsQuery } from './queries.ts';
import { lengthOf, troubleOf } from './words.ts';

/** Systems outside that are told what people agree to, and how far behind each is. */
export function Destinations() {
  const may = useMay('consent:write');
  const [begin, dialog] = useActs();
  const again = ({ key }: ConsentDestination): Act => ({
    label: 'Send again',
    explanation: `Everything that ${key} has not acknowledged is sent again, with the latest that each person said.`,
    run: () => retryConsentPropagation({ body: { destination: key } }),
  });
  return (
    <>
      <ListSection
        title="Who is told"
        query={useQuery(destinationsQuery)}
        none="Nobody is told yet: consent.destinations in habeas.yaml names who is."
        head={['Destination', 'By', 'State', 'Waiting', 'Sent', 'Given up', 'Behind', 'Last failure', 'Acts']}
        keyOf={({ key }) => key}
        cells={(one) => [
          <Name key="key">{one.key}</Name>,
          one.by,
          <ToneBadge key="state" tone={troubleOf(one) === undefined ? 'good' : 'bad'}>
            {troubleOf(one) ?? 'good'}
          </ToneBadge>,
          one.waiting,
          one.sent,
          one.given_up,
          one.lag_seconds === null ? 'never told' : lengthOf(one.lag_seconds),
          one.error !== null && <Words key="error">{one.error}</Words>,
          may && one.waiting + one.sent + one.given_up > 0 && (
            <Button
              key="act"
              size="compact-sm"
              variant="default"
              aria-label={`Send again to ${one.key}`}
              onClick={() => begin(again(one))}
            >
              Send again
            </Button>
          ),
        ]}
      />
      {dialog}
    </>
  );
}
