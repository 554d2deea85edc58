import { TextInput } from '@mantine/core';
import { textOf } from '../parts/dialog-form.tsx';

/** Of which teams somebody sees the tickets: a field by the name `teams`. */
export function TeamsField({ teams = null }: { readonly teams?: readonly string[] | null }) {
  return (
    <TextInput
      name="teams"
      label="Teams"
      description="Whose tickets they see and do; several with commas between them; empty: of all teams"
      defaultValue={teams?.join(', ') ?? ''}
    />
  );
}

/** What the field says; null: all teams. */
export function teamsOf(form: FormData): string[] | null {
  const teams = textOf(form, 'teams')
    .split(',')
    .map((team) => team.trim())
    .filter((team) => team !== '');
  return teams.length === 0 ? null : [...new Set(teams)];
}
