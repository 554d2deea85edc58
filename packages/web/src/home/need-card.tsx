import { Badge, Group, List, Paper, Text, Title } from '@mantine/core';
import { Instant } from '../parts/instant.tsx';
import { TextLink } from '../parts/links.tsx';
import { plain, short } from '../parts/plain.ts';
import type { Need, NeedRow } from './needs.ts';

/** Of what somebody else wrote; where it leads, all of it is shown. */
const LONGEST = 300;
const SHOWN = 5;

export interface NeedCardProps {
  readonly need: Need;
  readonly rows: readonly NeedRow[];
}

/** One thing to do, with the first of what it is about; the rest is one step away. */
export function NeedCard({ need, rows }: NeedCardProps) {
  return (
    <Paper withBorder p="md" component="section" aria-label={need.title}>
      <Group justify="space-between" mb="xs">
        <Group gap="xs">
          <Title order={2}>{need.title}</Title>
          <Badge color="gray" variant="light" className="tone">
            {rows.length}
          </Badge>
        </Group>
        <Text size="sm" c="dimmed">
          {need.what}
        </Text>
      </Group>
      <List listStyleType="none">
        {rows.slice(0, SHOWN).map(({ id, text, at, to }) => (
          <List.Item key={id} mb={4}>
            <TextLink {...placeOf(to)}>
              <bdi className="words">{plain(short(text, LONGEST))}</bdi>
            </TextLink>{' '}
            {at !== undefined && (
              <Text span size="sm" c="dimmed">
                <Instant at={at} as="distance" />
              </Text>
            )}
          </List.Item>
        ))}
      </List>
      {rows.length > SHOWN && (
        <TextLink {...placeOf(need.to)} size="sm">
          All of them
        </TextLink>
      )}
    </Paper>
  );
}

/** An address of the dashboard as the router takes it. */
function placeOf(address: string) {
  const { pathname, searchParams } = new URL(address, location.origin);
  return { to: pathname, search: Object.fromEntries(searchParams) } as {
    to: '/';
    search: Record<string, never>;
  };
}
