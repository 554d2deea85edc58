import { SCOPES } from '@habeas/contract/api';
import { List, Paper, Stack, Text, Title } from '@mantine/core';
import { createLazyRoute } from '@tanstack/react-router';
import { Instant } from '../parts/instant.tsx';
import { Name } from '../parts/name.tsx';
import { PageHeader } from '../parts/states.tsx';
import { useSession } from '../session/session.tsx';

export const route = createLazyRoute('/')({ component: HomePage });

function HomePage() {
  const { actor, scopes, expires_at: expiresAt } = useSession();
  return (
    <>
      <PageHeader title="Home" />
      <Paper withBorder p="md">
        <Stack gap="xs">
          <Title order={2}>
            You are <Name>{actor}</Name>
          </Title>
          <Text c="dimmed">
            Signed in until <Instant at={expiresAt} /> at the latest. You may:
          </Text>
          <List size="sm">
            {scopes.map((scope) => (
              <List.Item key={scope}>{SCOPES[scope]}</List.Item>
            ))}
          </List>
        </Stack>
      </Paper>
    </>
  );
}
