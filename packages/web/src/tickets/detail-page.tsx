import type { TicketDetail } from '@habeas/contract/api';
import { Button, Paper, Stack, Table, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createLazyRoute } from '@tanstack/react-router';
import { useState } from 'react';
import { getTicket, rejectTicket } from '../api/operations.ts';
import { type Act, ActDialog } from '../parts/act-dialog.tsx';
import { Facts } from '../parts/facts.tsx';
import { Instant } from '../parts/instant.tsx';
import { TextLink } from '../parts/links.tsx';
import { Name, Words } from '../parts/name.tsx';
import { Failure, Loading, PageHeader } from '../parts/states.tsx';
import { ToneBadge } from '../parts/tone-badge.tsx';
import { RIGHT_WORDS } from '../requests/words.ts';
import { useMay } from '../session/session.tsx';
import { CloseForm } from './close-form.tsx';
import { ReassignDialog } from './reassign-dialog.tsx';
import { TICKET_TONES } from './words.ts';

export const route = createLazyRoute('/tickets/$id')({ component: TicketPage });

/** One ticket with whom it is about. That somebody looked goes to the audit log, so it is asked for once and not again by itself. */
function TicketPage() {
  const { id } = route.useParams();
  const client = useQueryClient();
  const [act, setAct] = useState<Act>();
  const may = useMay('tickets:write');
  const mayReassign = useMay('tasks:write');
  const [reassigned, setReassigned] = useState(false);
  const { data, error, refetch } = useQuery({
    queryKey: ['ticket', id],
    queryFn: ({ signal }) => getTicket({ id }, signal),
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    gcTime: 0,
  });
  if (error !== null)
    return (
      <>
        <PageHeader title="Ticket" />
        <Failure error={error} retry={() => void refetch()} />
      </>
    );
  if (data === undefined) return <Loading />;
  const done = () => {
    void client.invalidateQueries({ queryKey: ['tickets'] });
    void refetch();
  };
  const open = data.state === 'open' && may;
  const reject: Act = {
    label: 'Reject the ticket',
    explanation: 'Your team will not do it. An officer sees that and decides how the request goes on.',
    grave: true,
    reason: 'words',
    run: (reason) => rejectTicket({ id, body: { reason } }),
  };
  return (
    <Stack>
      <PageHeader
        title={
          <>
            {RIGHT_WORDS[data.right]} in <Name>{data.system}</Name>{' '}
            <ToneBadge tone={TICKET_TONES[data.state]}>{data.state}</ToneBadge>
          </>
        }
      >
        {mayReassign && ['open', 'rejected'].includes(data.state) && (
          <Button variant="default" onClick={() => setReassigned(true)}>
            Reassign
          </Button>
        )}
        {open && (
          <Button variant="default" onClick={() => setAct(reject)}>
            Reject
          </Button>
        )}
      </PageHeader>
      <TicketFacts ticket={data} />
      <Paper withBorder p="md">
        <Title order={2}>What to do</Title>
        <Words>{data.instructions}</Words>
      </Paper>
      <About ticket={data} />
      {open && <CloseForm ticket={data} done={done} />}
      <ActDialog act={act} close={() => setAct(undefined)} done={done} />
      <ReassignDialog ticket={reassigned ? data : undefined} close={() => setReassigned(false)} />
    </Stack>
  );
}

function TicketFacts({ ticket }: { readonly ticket: TicketDetail }) {
  const mayLook = useMay('requests:read');
  const { request_id: id } = ticket;
  return (
    <Facts
      facts={[
        { name: 'Due', value: <Instant at={ticket.due_at} /> },
        { name: 'Opened', value: <Instant at={ticket.opened_at} /> },
        { name: 'Team', value: <Name>{ticket.team}</Name> },
        { name: 'Data types', value: ticket.data_types.join(', ') },
        { name: 'Ended', value: ticket.ended_at !== null && <Instant at={ticket.ended_at} /> },
        { name: 'Note', value: ticket.note !== null && <Words>{ticket.note}</Words> },
        {
          name: 'Request',
          value: mayLook ? (
            <TextLink to="/requests/$id" params={{ id }} size="sm">
              {id}
            </TextLink>
          ) : (
            id
          ),
        },
      ]}
    />
  );
}

function About({ ticket: { identities, changes } }: { readonly ticket: TicketDetail }) {
  if (identities.length === 0) return <Text c="dimmed">Whom it is about is not shown any more.</Text>;
  return (
    <section>
      <Title order={2}>Whom it is about</Title>
      <Table>
        <Table.Tbody>
          {identities.map(({ type, value }) => (
            <Table.Tr key={`${type} ${value}`}>
              <Table.Th w={160}>{type}</Table.Th>
              <Table.Td>
                <Words>{value}</Words>
              </Table.Td>
            </Table.Tr>
          ))}
          {changes.map(({ target, to }) => (
            <Table.Tr key={target}>
              <Table.Th>{target}</Table.Th>
              <Table.Td>
                becomes <Words>{String(to)}</Words>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}
