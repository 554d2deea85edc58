import { type Role, roleSchema } from '@habeas/contract/api';
import { NativeSelect } from '@mantine/core';
import { textOf } from '../parts/dialog-form.tsx';
import { useSession } from '../session/session.tsx';
import { ROLE_WORDS, rolesWithin } from './roles.ts';

/** What somebody may do: a field by the name `role`, with the roles that the reader may give, and the one that it is. */
export function RoleField({ role }: { readonly role?: Role }) {
  const given = rolesWithin(useSession().scopes);
  const roles = role === undefined || given.includes(role) ? given : [role, ...given];
  return (
    <NativeSelect
      name="role"
      label="Role"
      defaultValue={role ?? roles.at(-1) ?? ''}
      data={roles.map((one) => ({ value: one, label: ROLE_WORDS[one] }))}
      required
    />
  );
}

export const chosenRole = (form: FormData): Role => roleSchema.parse(textOf(form, 'role'));
