import { List, Stack, Table, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Instant } from '../parts/instant.tsx';
import { Name } from '../parts/name.tsx';
import { Failure, Loading } from '../parts/states.tsx';
import { deadlineQuery } from './queries.ts';

/** By when the law wants an answer, how that is counted, and all that moved it. */
export function DeadlinePanel({ id }: { readonly id: string }) {
  const { data: deadline, error, refetch } = useQuery(deadlineQuery(id));
  if (error !== null) return <Failure error={error} retry={() => void refetch()} />;
  if (deadline === undefined) return <Loading rows={3} />;
  return (
    <Stack>
      <Text>
        Under <b>{deadline.regime}</b> it has to be answered by <Instant at={deadline.due_at} />.
      </Text>
      <Title order={2}>How that is counted</Title>
      <List type="ordered">
        {deadline.explanation.map((step) => (
          <List.Item key={step}>{step}</List.Item>
        ))}
      </List>
      <Title order={2}>What moved it</Title>
      {deadline.changes.length === 0 ? (
        <Text c="dimmed">Nothing did.</Text>
      ) : (
        <Table.ScrollContainer minWidth={600}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                {['When', 'What', 'By', 'Reason', 'Due before', 'Due after'].map((name) => (
                  <Table.Th key={name}>{name}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {deadline.changes.map((change) => (
                <Table.Tr key={`${change.at}${change.kind}`}>
                  <Table.Td>
                    <Instant at={change.at} />
                  </Table.Td>
                  <Table.Td>{change.kind}</Table.Td>
                  <Table.Td>
                    <Name>{change.actor}</Name>
                  </Table.Td>
                  <Table.Td>{change.reason !== null && <Name>{change.reason}</Name>}</Table.Td>
                  <Table.Td>
                    <Instant at={change.due_before} as="day" />
                  </Table.Td>
                  <Table.Td>
                    <Instant at={change.due_after} as="day" />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Stack>
  );
}
