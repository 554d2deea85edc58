import { Center, Divider, Paper, Stack, Text, Title } from '@mantine/core';
import { startSession } from '../api/operations.ts';
import { KeyForm } from './key-form.tsx';
import { ProviderButton, SignInRefused, useProvider } from './provider-button.tsx';
import { useSetSession } from './session.tsx';

/** Shown at whatever address somebody came to, so that they are there once they signed in. */
export function SignInPage() {
  const setSession = useSetSession();
  const provider = useProvider();
  return (
    <Center component="main" mih="100vh" p="md">
      <Paper withBorder p="xl" w="100%" maw={420}>
        <Stack gap="lg">
          <div>
            <Title order={1}>Habeas</Title>
            <Text c="dimmed">Where personal data is, and what people asked to be done with it</Text>
          </div>
          <SignInRefused />
          {provider !== undefined && (
            <>
              <ProviderButton />
              <Divider label="or with an API key" />
            </>
          )}
          <KeyForm
            act={(key) => startSession({ body: { key } })}
            done={setSession}
            submit="Sign in"
            second={provider !== undefined}
          />
        </Stack>
      </Paper>
    </Center>
  );
}
