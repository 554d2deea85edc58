import type { MemberView } from '@habeas/contract/api';
import { Text, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { changeMember, inviteMember } from '../api/operations.ts';
import { refresh } from '../api/refresh.ts';
import { Dialog } from '../parts/dialog.tsx';
import { DialogForm, textOf } from '../parts/dialog-form.tsx';
import { Name } from '../parts/name.tsx';
import { chosenRole, RoleField } from './role-field.tsx';
import { TeamsField, teamsOf } from './teams-field.tsx';

export interface MemberDialogProps {
  /** Who is changed, or somebody new; undefined: closed. */
  readonly asked: MemberView | 'new' | undefined;
  readonly close: () => void;
}

/** Invites somebody, or gives a member another role or other teams. */
export function MemberDialog({ asked, close }: MemberDialogProps) {
  const client = useQueryClient();
  const member = asked === 'new' ? undefined : asked;
  const act = (form: FormData) => {
    const body = { role: chosenRole(form), teams: teamsOf(form) };
    return member === undefined
      ? inviteMember({ body: { ...body, email: textOf(form, 'email') } })
      : changeMember({ id: member.id, body });
  };
  return (
    <Dialog
      opened={asked !== undefined}
      close={close}
      title={member === undefined ? 'Invite somebody' : 'Change a member'}
    >
      <DialogForm
        submit={member === undefined ? 'Invite' : 'Change'}
        act={act}
        close={close}
        done={() => {
          close();
          // All: who changed themselves may do other things now.
          void refresh(client);
        }}
      >
        {member === undefined ? (
          <TextInput
            name="email"
            inputMode="email"
            label="Address"
            description="With which they sign in. No mail is sent: tell them"
            required
            maxLength={254}
            data-autofocus
          />
        ) : (
          <Text>
            <Name>{member.email ?? member.name ?? member.id}</Name>, from their next call on
          </Text>
        )}
        {member === undefined ? <RoleField /> : <RoleField role={member.role} />}
        <TeamsField teams={member?.teams ?? null} />
      </DialogForm>
    </Dialog>
  );
}
