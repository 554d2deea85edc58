import type { LegalHoldScope } from '@habeas/contract/api';
import { NativeSelect, Text, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { listConnections, placeLegalHold } from '../api/operations.ts';
import { refresh } from '../api/refresh.ts';
import { ReasonField } from '../parts/act-dialog.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { DialogForm, textOf } from '../parts/dialog-form.tsx';
import { IdentityFields } from '../parts/identity-fields.tsx';
import { useMay } from '../session/session.tsx';

type Kind = LegalHoldScope['kind'];

const KINDS: readonly { readonly value: Kind; readonly label: string }[] = [
  { value: 'subject', label: 'a person' },
  { value: 'system', label: 'a system' },
  { value: 'category', label: 'a data category' },
  { value: 'organization', label: 'everything' },
];

export interface PlaceHoldDialogProps {
  readonly opened: boolean;
  readonly close: () => void;
}

/** Places a hold. From then on no request destroys what it covers. */
export function PlaceHoldDialog({ opened, close }: PlaceHoldDialogProps) {
  return (
    <Dialog opened={opened} close={close} title="Place a legal hold">
      <PlaceHoldForm close={close} />
    </Dialog>
  );
}

function PlaceHoldForm({ close }: Pick<PlaceHoldDialogProps, 'close'>) {
  const client = useQueryClient();
  const [kind, setKind] = useState<Kind>('subject');
  return (
    <DialogForm
      submit="Place the hold"
      act={(form) => placeLegalHold({ body: { scope: scopeOf(kind, form), reason: textOf(form, 'reason') } })}
      close={close}
      done={() => {
        close();
        void refresh(client);
      }}
    >
      <Text>
        Requests that would change what it covers are held before anything is destroyed, also those that come
        later. Their deadlines go on.
      </Text>
      <NativeSelect
        label="On"
        value={kind}
        data={[...KINDS]}
        onChange={({ currentTarget }) => setKind(currentTarget.value as Kind)}
      />
      {kind === 'subject' && <IdentityFields />}
      {kind === 'system' && <SystemField />}
      {kind === 'category' && (
        <TextInput
          name="category"
          label="Data category"
          description="Such as user.financial; all below it is covered, too"
          required
          pattern="[a-z_]+(\.[a-z_]+)*"
        />
      )}
      <ReasonField />
    </DialogForm>
  );
}

/** The name of a system; those that are connected are proposed to who may see them. */
function SystemField() {
  const known = useId();
  const may = useMay('connections:read');
  const { data = [] } = useQuery({
    queryKey: ['connections'],
    enabled: may,
    queryFn: async ({ signal }) => (await listConnections({}, signal)).items,
  });
  return (
    <>
      <TextInput name="system" label="System" required maxLength={200} list={known} autoComplete="off" />
      <datalist id={known}>
        {data.map(({ key }) => (
          <option key={key} value={key} />
        ))}
      </datalist>
    </>
  );
}

function scopeOf(kind: Kind, form: FormData): LegalHoldScope {
  switch (kind) {
    case 'subject':
      // The value as it was typed: blanks around it are the server's to judge.
      return { kind, identities: [{ type: textOf(form, 'type'), value: String(form.get('value')) }] };
    case 'system':
      return { kind, system: textOf(form, 'system') };
    case 'category':
      return { kind, category: textOf(form, 'category') };
    case 'organization':
      return { kind };
  }
}
