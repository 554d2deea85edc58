import type { MemberView } from '@habeas/contract/api';
import { Button, Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { listMembers, removeMember } from '../api/operations.ts';
import type { Act } from '../parts/act-dialog.tsx';
import { Instant } from '../parts/instant.tsx';
import { ListSection } from '../parts/list-section.tsx';
import { Name } from '../parts/name.tsx';
import { useActs } from '../parts/use-acts.tsx';
import { useMay, useSession } from '../session/session.tsx';
import { MemberDialog } from './member-dialog.tsx';

const nameOf = ({ email, name, id }: MemberView) => email ?? name ?? id;

/** People who sign in with the organization's own accounts. */
export function Members() {
  const may = useMay('members:write');
  const { actor } = useSession();
  const [asked, setAsked] = useState<MemberView | 'new'>();
  const [begin, dialog] = useActs();
  const query = useQuery({
    queryKey: ['members'],
    queryFn: async ({ signal }) => (await listMembers({}, signal)).items,
  });
  const remove = (member: MemberView): Act => ({
    label: 'Remove',
    explanation: `${nameOf(member)} is signed out, and their address and name are forgotten. The audit log keeps their id alone.${
      member.by_group === null ? '' : ' They come back with their next sign-in unless they leave the group.'
    }${actor === `member:${member.id}` ? ' This is you.' : ''}`,
    grave: true,
    run: () => removeMember({ id: member.id }),
  });
  return (
    <>
      <ListSection
        title="Members"
        acts={may && <Button onClick={() => setAsked('new')}>Invite somebody…</Button>}
        query={query}
        none="Nobody has been invited yet. Whoever is invited signs in with the organization’s own account, where sign_in in habeas.yaml names it."
        head={['Who', 'Role', 'Teams', 'Comes by', 'Signed in', 'Acts']}
        keyOf={({ id }) => id}
        cells={(member) => [
          <div key="who">
            <Name>{nameOf(member)}</Name>
            {member.email !== null && member.name !== null && (
              <Text size="sm" c="dimmed">
                <Name>{member.name}</Name>
              </Text>
            )}
          </div>,
          member.role,
          <Name key="teams">{member.teams?.join(', ') ?? 'all'}</Name>,
          <Name key="by">{member.by_group === null ? 'an invitation' : `the group ${member.by_group}`}</Name>,
          member.signed_in_at === null ? (
            'never'
          ) : (
            <Instant key="at" at={member.signed_in_at} as="distance" />
          ),
          may && (
            <Group key="acts" gap="xs" wrap="nowrap">
              {member.by_group === null && (
                <Button
                  size="compact-sm"
                  variant="default"
                  aria-label={`Change ${nameOf(member)}`}
                  onClick={() => setAsked(member)}
                >
                  Change
                </Button>
              )}
              <Button
                size="compact-sm"
                variant="default"
                aria-label={`Remove ${nameOf(member)}`}
                onClick={() => begin(remove(member))}
              >
                Remove
              </Button>
            </Group>
          ),
        ]}
      />
      <MemberDialog asked={asked} close={() => setAsked(undefined)} />
      {dialog}
    </>
  );
}
