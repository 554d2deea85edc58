import type { ReachView } from '@habeas/contract/api';
import { List, Text } from '@mantine/core';
import { Name } from '../parts/name.tsx';
import { Loading } from '../parts/states.tsx';

/** Where data can end up from a service, each with how far it is and over whom. */
export function ReachPanel({ reach }: { readonly reach: ReachView | undefined }) {
  if (reach === undefined) return <Loading rows={2} />;
  if (reach.reached.length === 0) return <Text size="sm">It goes nowhere from here.</Text>;
  return (
    <>
      <Text size="sm">
        Data can end up in {reach.counts.services} services of {reach.counts.teams} teams:
      </Text>
      <List size="sm">
        {reach.reached.map(({ service, data_type: type, hops, via, external }) => (
          <List.Item key={`${service} ${type}`}>
            <Name>{type}</Name> in <Name>{service}</Name>
            {external && ' (external)'}, {hops} {hops === 1 ? 'step' : 'steps'}
            {hops > 1 && (
              <>
                , over <Name>{via}</Name>
              </>
            )}
          </List.Item>
        ))}
      </List>
    </>
  );
}
