import { Stack } from '@mantine/core';
import { createLazyRoute } from '@tanstack/react-router';
import { PageHeader } from '../parts/states.tsx';
import { useSession } from '../session/session.tsx';
import { Addresses } from './addresses.tsx';
import { Pauses } from './pauses.tsx';
import { Systems } from './systems.tsx';
import { Webhooks } from './webhooks.tsx';

export const route = createLazyRoute('/connections')({ component: ConnectionsPage });

/** Everything that Habeas reaches out to, and whether it may. */
function ConnectionsPage() {
  const { scopes } = useSession();
  return (
    <>
      <PageHeader title="Connections" />
      <Stack gap="xl">
        {scopes.includes('pauses:read') && <Pauses />}
        {scopes.includes('connections:read') && <Addresses />}
        {scopes.includes('connections:read') && <Systems />}
        {scopes.includes('webhooks:read') && <Webhooks />}
      </Stack>
    </>
  );
}
