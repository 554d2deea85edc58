import { Stack } from '@mantine/core';
import { createLazyRoute } from '@tanstack/react-router';
import { Forbidden, PageHeader } from '../parts/states.tsx';
import { useMay } from '../session/session.tsx';
import { Destinations } from './destinations.tsx';
import { Jobs } from './jobs.tsx';
import { PersonLookup } from './person-lookup.tsx';
import { Purposes } from './purposes.tsx';

export const route = createLazyRoute('/consent')({ component: ConsentPage });

/** What data is used for, what people said about it, and who was told. */
function ConsentPage() {
  const purposes = useMay('consent:read');
  const people = useMay('personal-data:read');
  if (!purposes && !people) return <Forbidden title="Consent" scope="consent:read or personal-data:read" />;
  return (
    <>
      <PageHeader title="Consent" />
      <Stack gap="xl">
        {purposes && <Purposes />}
        {people && <PersonLookup />}
        {purposes && <Destinations />}
        {purposes && <Jobs />}
      </Stack>
    </>
  );
}
