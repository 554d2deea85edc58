import { Table, Text, Title } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Failure, Loading } from './states.tsx';

export interface ListSectionProps<Item> {
  readonly title: string;
  readonly query: Pick<UseQueryResult<readonly Item[]>, 'data' | 'error' | 'refetch'>;
  /** What is said when there is nothing. */
  readonly none: string;
  readonly head: readonly string[];
  readonly keyOf: (item: Item) => string;
  readonly cells: (item: Item) => readonly ReactNode[];
}

/** One list of a page: its title, and its rows or why there are none. */
export function ListSection<Item>({ title, query, none, head, keyOf, cells }: ListSectionProps<Item>) {
  const { data, error, refetch } = query;
  return (
    <section aria-label={title}>
      <Title order={2} mb="xs">
        {title}
      </Title>
      {error !== null && data === undefined ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : data === undefined ? (
        <Loading rows={2} />
      ) : data.length === 0 ? (
        <Text c="dimmed">{none}</Text>
      ) : (
        <Table.ScrollContainer minWidth={700}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                {head.map((name) => (
                  <Table.Th key={name}>{name}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {data.map((item) => (
                <Table.Tr key={keyOf(item)}>
                  {cells(item).map((cell, column) => (
                    <Table.Td key={head[column]}>{cell}</Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </section>
  );
}
