import { Stack } from '@mantine/core';
import { createLazyRoute } from '@tanstack/react-router';
import { Forbidden, PageHeader } from '../parts/states.tsx';
import { useMay } from '../session/session.tsx';
import { Addresses } from './addresses.tsx';
import { Pauses } from './pauses.tsx';
import { Systems } from './systems.tsx';
import { Webhooks } from './webhooks.tsx';

export const route = createLazyRoute('/connections')({ component: ConnectionsPage });

/** Everything that Habeas reaches out to, and whether it may. */
function ConnectionsPage() {
  const pauses = useMay('pauses:read');
  const connections = useMay('connections:read');
  const webhooks = useMay('webhooks:read');
  if (!pauses && !connections && !webhooks)
    return <Forbidden title="Connections" scope="connections:read, pauses:read or webhooks:read" />;
  return (
    <>
      <PageHeader title="Connections" />
      <Stack gap="xl">
        {pauses && <Pauses />}
        {connections && <Addresses />}
        {connections && <Systems />}
        {webhooks && <Webhooks />}
      </Stack>
    </>
  );
}
