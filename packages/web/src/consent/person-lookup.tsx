import type { Identity } from '@habeas/contract/api';
import { Stack, Text, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { readConsent, readConsentHistory } from '../api/operations.ts';
import { BusyButton } from '../parts/busy-button.tsx';
import { textOf } from '../parts/dialog-form.tsx';
import { IdentityFields } from '../parts/identity-fields.tsx';
import { Name } from '../parts/name.tsx';
import { Failure } from '../parts/states.tsx';
import { PersonChoices, PersonHistory } from './person-choices.tsx';

/** What one person agreed to. Whom it is about stands in no address, and is forgotten with the page. */
export function PersonLookup() {
  const reading = useMutation({ mutationFn: read, gcTime: 0 });
  const { data } = reading;
  return (
    <section aria-label="One person">
      <Title order={2} mb="xs">
        One person
      </Title>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          reading.mutate({ type: textOf(form, 'type'), value: String(form.get('value')) });
        }}
      >
        <Stack align="flex-start">
          <IdentityFields />
          <BusyButton type="submit" variant="default" busy={reading.isPending}>
            Look up
          </BusyButton>
        </Stack>
      </form>
      <Stack mt="md" role="status" aria-label="What they said">
        {reading.error !== null && <Failure error={reading.error} />}
        {data !== undefined && (
          <>
            <Text>
              Of {data.identity.type} <Name>{data.identity.value}</Name>
            </Text>
            <PersonChoices consent={data.consent} />
            <PersonHistory identity={data.identity} items={data.history.items} />
          </>
        )}
      </Stack>
    </section>
  );
}

async function read(identity: Identity) {
  const body = { identity };
  const [consent, history] = await Promise.all([readConsent({ body }), readConsentHistory({ body })]);
  return { identity, consent, history };
}
