import { Stack, Table, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Name, Words } from '../parts/name.tsx';
import { Failure, Loading } from '../parts/states.tsx';
import { planQuery, tasksQuery } from './queries.ts';

/** What the plan keeps and why, what was kept in the end, which copies are left until when, and what the plan could not cover. */
export function KeptPanel({ id }: { readonly id: string }) {
  const { data: plan, error, refetch } = useQuery(planQuery(id));
  const { data: tasks = [] } = useQuery(tasksQuery(id));
  if (error !== null) return <Failure error={error} retry={() => void refetch()} />;
  if (plan === undefined) return <Loading rows={3} />;
  const found = tasks.flatMap(({ system, evidence }) =>
    evidence === null ? [] : [{ system: system ?? '', evidence }],
  );
  return (
    <Stack>
      <Part
        title="Kept by the policy"
        none="The plan keeps nothing."
        head={['System', 'Collection', 'Fields', 'Reason', 'Legal basis', 'Until']}
        rows={plan.kept.map((kept) => [
          kept.system,
          kept.collection,
          kept.fields.join(', '),
          kept.reason,
          kept.legal_basis,
          kept.until,
        ])}
      />
      <Part
        title="Kept by the systems"
        none="No system kept anything."
        head={['System', 'Collection', 'Count', 'Reason', 'Until']}
        rows={found.flatMap(({ system, evidence }) =>
          evidence.retained.map(({ collection, count, reason, until }) => [
            system,
            collection,
            String(count),
            reason,
            until,
          ]),
        )}
      />
      <Part
        title="Copies that are left"
        none="No copy is left that Habeas knows of."
        head={['System', 'What', 'Until']}
        rows={found.flatMap(({ system, evidence }) =>
          evidence.residuals.map(({ what, until }) => [system, what, until]),
        )}
      />
      <Part
        title="Gaps"
        none="The plan has no gap."
        head={['System', 'What is missing', 'Covered by a ticket']}
        rows={plan.gaps.map(({ system, message, ticket }) => [system, message, ticket ? 'yes' : 'no'])}
      />
    </Stack>
  );
}

interface PartProps {
  readonly title: string;
  readonly none: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

function Part({ title, none, head, rows }: PartProps): ReactNode {
  return (
    <section>
      <Title order={2}>{title}</Title>
      {rows.length === 0 ? (
        <Text c="dimmed">{none}</Text>
      ) : (
        <Table.ScrollContainer minWidth={600}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                {head.map((name) => (
                  <Table.Th key={name}>{name}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {[...new Set(rows.map((row) => JSON.stringify(row)))].map((text) => (
                <Table.Tr key={text}>
                  {(JSON.parse(text) as (string | null)[]).map((cell, column) => (
                    <Table.Td key={head[column]}>
                      {cell === null ? '' : column === 0 ? <Name>{cell}</Name> : <Words>{cell}</Words>}
                    </Table.Td>
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
