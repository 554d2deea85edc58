import { Group, Table, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { Failure, Loading } from './states.tsx';

/** What a query came to so far, or what is there already. */
export interface ListQuery<Item> {
  readonly data: readonly Item[] | undefined;
  /** (Default: null) */
  readonly error?: Error | null;
  readonly refetch?: () => unknown;
}

export interface ListSectionProps<Item> {
  readonly title: string;
  /** What can be done with all of it. (Default: nothing) */
  readonly acts?: ReactNode;
  readonly query: ListQuery<Item>;
  /** What is said when there is nothing. */
  readonly none: string;
  readonly head: readonly string[];
  readonly keyOf: (item: Item) => string;
  readonly cells: (item: Item) => readonly ReactNode[];
}

/** One list of a page: its title, and its rows or why there are none. */
export function ListSection<Item>({ title, acts, query, none, head, keyOf, cells }: ListSectionProps<Item>) {
  const { data, error = null, refetch } = query;
  return (
    <section aria-label={title}>
      <Group justify="space-between" mb="xs">
        <Title order={2}>{title}</Title>
        {acts !== undefined && acts !== false && <Group gap="xs">{acts}</Group>}
      </Group>
      {error !== null && data === undefined ? (
        <Failure error={error} retry={refetch && (() => void refetch())} />
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
