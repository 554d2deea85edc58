import { ALL_SCOPES, type NewApiKeyView, ROLES, SCOPES, type Scope, scopeSchema } from '@habeas/contract/api';
import { Button, Checkbox, Group, NativeSelect, ScrollArea, Stack, Text, TextInput } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { createApiKey } from '../api/operations.ts';
import { Dialog } from '../parts/dialog.tsx';
import { DialogForm, textOf } from '../parts/dialog-form.tsx';
import { plain } from '../parts/plain.ts';
import { useSession } from '../session/session.tsx';
import { ROLE_WORDS, rolesWithin } from './roles.ts';
import { TeamsField, teamsOf } from './teams-field.tsx';

export interface NewKeyDialogProps {
  readonly opened: boolean;
  readonly close: () => void;
}

/** Makes a key and shows it, once. Until its reader says that they have it, nothing else closes the dialog. */
export function NewKeyDialog({ opened, close }: NewKeyDialogProps) {
  const client = useQueryClient();
  const [made, setMade] = useState<NewApiKeyView>();
  const end = () => {
    setMade(undefined);
    close();
  };
  return (
    <Dialog
      opened={opened}
      close={end}
      title={made === undefined ? 'Make an API key' : 'The new key'}
      stays={made !== undefined}
    >
      {made === undefined ? (
        <NewKeyForm
          close={close}
          done={(key) => {
            setMade(key);
            void client.invalidateQueries({ queryKey: ['api-keys'] });
          }}
        />
      ) : (
        <NewKey made={made} close={end} />
      )}
    </Dialog>
  );
}

const CHOSEN_SCOPES = 'scopes';

interface NewKeyFormProps {
  readonly close: () => void;
  readonly done: (made: NewApiKeyView) => void;
}

function NewKeyForm({ close, done }: NewKeyFormProps) {
  const { scopes: own } = useSession();
  const roles = rolesWithin(own);
  const [role, setRole] = useState<string>(roles.at(-1) ?? CHOSEN_SCOPES);
  const act = (form: FormData) => {
    const given = roles.find((one) => one === role);
    const scopes: readonly Scope[] =
      given === undefined ? form.getAll('scope').map((scope) => scopeSchema.parse(scope)) : ROLES[given];
    if (scopes.length === 0) throw new Error('Choose at least one thing that the key may do.');
    const day = textOf(form, 'expires');
    return createApiKey({
      body: {
        name: textOf(form, 'name'),
        scopes: [...scopes],
        teams: teamsOf(form),
        // The day as it begins where the reader is.
        expires_at: day === '' ? null : new Date(`${day}T00:00`).toISOString(),
      },
    });
  };
  return (
    <DialogForm submit="Make the key" act={act} done={done} close={close}>
      <TextInput
        name="name"
        label="Name"
        description="What it is for; write no personal data"
        required
        maxLength={200}
        data-autofocus
      />
      <NativeSelect
        label="May do what"
        value={role}
        onChange={({ currentTarget }) => setRole(currentTarget.value)}
        data={[
          ...roles.map((one) => ({ value: one, label: ROLE_WORDS[one] })),
          { value: CHOSEN_SCOPES, label: 'what you choose' },
        ]}
      />
      {role === CHOSEN_SCOPES && <ScopeFields own={own} />}
      <TeamsField />
      <TextInput
        type="date"
        name="expires"
        label="Expires"
        description="From this day on it is refused; empty: it does not expire"
        min={tomorrow()}
      />
    </DialogForm>
  );
}

/** What the reader may do themselves, each to be chosen. */
function ScopeFields({ own }: { readonly own: readonly Scope[] }) {
  return (
    <Checkbox.Group label="Scopes">
      <ScrollArea.Autosize mah={240} mt="xs" viewportProps={{ tabIndex: 0 }}>
        <Stack gap="xs">
          {ALL_SCOPES.filter((scope) => own.includes(scope)).map((scope) => (
            <Checkbox key={scope} name="scope" value={scope} label={scope} description={SCOPES[scope]} />
          ))}
        </Stack>
      </ScrollArea.Autosize>
    </Checkbox.Group>
  );
}

function tomorrow(): string {
  const day = new Date();
  day.setDate(day.getDate() + 1);
  // The only locale whose short date is the one that fields of dates take.
  return new Intl.DateTimeFormat('sv').format(day);
}

function NewKey({ made, close }: { readonly made: NewApiKeyView; readonly close: () => void }) {
  const { copy, copied, error } = useClipboard();
  const field = useRef<HTMLInputElement>(null);
  // The button that had the focus is gone.
  useEffect(() => field.current?.focus(), []);
  return (
    <Stack>
      <Text>It is shown now and never again. Put it where its program finds it, and nowhere else.</Text>
      <TextInput
        ref={field}
        label={`Key “${plain(made.name)}”`}
        value={made.key}
        readOnly
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        onFocus={({ currentTarget }) => currentTarget.select()}
      />
      <div role="status">
        {copied && <Text size="sm">It is copied.</Text>}
        {error !== null && (
          <Text size="sm">
            The browser does not let this page copy: choose the text and copy it yourself.
          </Text>
        )}
      </div>
      <Group justify="flex-end">
        <Button variant="default" onClick={() => copy(made.key)}>
          Copy
        </Button>
        <Button onClick={close}>I have it</Button>
      </Group>
    </Stack>
  );
}
