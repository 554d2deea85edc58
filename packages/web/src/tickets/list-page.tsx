import { ticketStateSchema } from '@habeas/contract/api';
import { NativeSelect, Table } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { createLazyRoute } from '@tanstack/react-router';
import { Instant } from '../parts/instant.tsx';
import { TextLink } from '../parts/links.tsx';
import { Name } from '../parts/name.tsx';
import { ShowMore } from '../parts/show-more.tsx';
import { Empty, Failure, Loading, PageHeader } from '../parts/states.tsx';
import { ToneBadge } from '../parts/tone-badge.tsx';
import { RIGHT_WORDS } from '../requests/words.ts';
import { useSession } from '../session/session.tsx';
import { ticketsQuery } from './queries.ts';
import { TICKET_TONES } from './words.ts';

export const route = createLazyRoute('/tickets')({ component: TicketsPage });

/** What teams do by hand. Whoever signed in for some teams sees the tickets of these alone: the server gives no others. */
function TicketsPage() {
  const { teams } = useSession();
  const filter = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <>
      <PageHeader title={teams === null ? 'Tickets' : `Tickets of ${teams.join(', ')}`}>
        <NativeSelect
          aria-label="State"
          value={filter.state ?? 'open'}
          data={[...ticketStateSchema.options]}
          onChange={({ currentTarget: { value } }) =>
            void navigate({ search: { ...filter, state: ticketStateSchema.parse(value) } })
          }
        />
      </PageHeader>
      <Tickets />
    </>
  );
}

function Tickets() {
  const filter = { state: 'open' as const, ...route.useSearch() };
  const query = useInfiniteQuery(ticketsQuery(filter));
  const { data, error, refetch } = query;
  if (error !== null && data === undefined) return <Failure error={error} retry={() => void refetch()} />;
  if (data === undefined) return <Loading />;
  const tickets = data.pages.flatMap(({ items }) => items);
  if (tickets.length === 0)
    return (
      <Empty title={`No ticket is ${filter.state}`}>
        A team gets a ticket where Habeas cannot act on its system by itself.
      </Empty>
    );
  return (
    <>
      <Table.ScrollContainer minWidth={700}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              {['Ticket', 'Right', 'System', 'Team', 'State', 'Due'].map((name) => (
                <Table.Th key={name}>{name}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {tickets.map((ticket) => (
              <Table.Tr key={ticket.id}>
                <Table.Td>
                  <TextLink to="/tickets/$id" params={{ id: ticket.id }} ff="monospace" size="sm">
                    {ticket.id}
                  </TextLink>
                </Table.Td>
                <Table.Td>{RIGHT_WORDS[ticket.right]}</Table.Td>
                <Table.Td>
                  <Name>{ticket.system}</Name>
                </Table.Td>
                <Table.Td>
                  <Name>{ticket.team}</Name>
                </Table.Td>
                <Table.Td>
                  <ToneBadge tone={TICKET_TONES[ticket.state]}>{ticket.state}</ToneBadge>
                </Table.Td>
                <Table.Td>
                  <Instant at={ticket.due_at} as="day" /> (<Instant at={ticket.due_at} as="distance" />)
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <ShowMore query={query} shown={tickets.length} />
    </>
  );
}
