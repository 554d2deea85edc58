import { Table, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Instant } from '../parts/instant.tsx';
import { Name } from '../parts/name.tsx';
import { ShowMore } from '../parts/show-more.tsx';
import { Empty, Failure, Loading } from '../parts/states.tsx';
import { timelineQuery } from './queries.ts';

/** Who did what with a request and its tasks, as the audit log has it. */
export function Timeline({ id }: { readonly id: string }) {
  const query = useInfiniteQuery(timelineQuery(id));
  const { data, error, refetch } = query;
  if (error !== null && data === undefined) return <Failure error={error} retry={() => void refetch()} />;
  if (data === undefined) return <Loading />;
  const entries = data.pages.flatMap(({ items }) => items);
  if (entries.length === 0) return <Empty title="Nothing has happened yet" />;
  return (
    <>
      <Table.ScrollContainer minWidth={600}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              {['When', 'Who', 'What', 'About', 'Details'].map((name) => (
                <Table.Th key={name}>{name}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {entries.map((entry) => (
              <Table.Tr key={entry.id}>
                <Table.Td>
                  <Instant at={entry.at} />
                </Table.Td>
                <Table.Td>
                  <Name>{entry.actor}</Name>
                </Table.Td>
                <Table.Td>{entry.action}</Table.Td>
                <Table.Td>
                  <Name>{entry.subject}</Name>
                </Table.Td>
                <Table.Td>
                  <Text size="sm" component="div">
                    <Name>
                      {Object.entries(entry.details)
                        .map(([name, value]) => `${name}: ${value}`)
                        .join(', ')}
                    </Name>
                  </Text>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <ShowMore query={query} shown={entries.length} />
    </>
  );
}
