import { Stack } from '@mantine/core';
import { createLazyRoute } from '@tanstack/react-router';
import { Forbidden, PageHeader } from '../parts/states.tsx';
import { useMay } from '../session/session.tsx';
import { ApiKeys } from './api-keys.tsx';
import { Members } from './members.tsx';

export const route = createLazyRoute('/settings')({ component: SettingsPage });

/** Who may do what: people who sign in, and keys. */
function SettingsPage() {
  const { keys } = route.useSearch();
  const navigate = route.useNavigate();
  const members = useMay('members:read');
  const apiKeys = useMay('keys:read');
  if (!members && !apiKeys) return <Forbidden title="Settings" scope="keys:read or members:read" />;
  return (
    <>
      <PageHeader title="Settings" />
      <Stack gap="xl">
        {members && <Members />}
        {apiKeys && (
          <ApiKeys
            all={keys === 'all'}
            show={(all) => void navigate({ search: all ? { keys: 'all' } : {} })}
          />
        )}
      </Stack>
    </>
  );
}
