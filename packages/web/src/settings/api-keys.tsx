import type { ApiKeyView } from '@habeas/contract/api';
import { Button, Checkbox, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { listApiKeys, revokeApiKey } from '../api/operations.ts';
import type { Act } from '../parts/act-dialog.tsx';
import { Instant } from '../parts/instant.tsx';
import { ListSection } from '../parts/list-section.tsx';
import { Name } from '../parts/name.tsx';
import { ToneBadge } from '../parts/tone-badge.tsx';
import { useActs } from '../parts/use-acts.tsx';
import { useMay, useSession } from '../session/session.tsx';
import { NewKeyDialog } from './new-key-dialog.tsx';
import { inOrder, roleOf } from './roles.ts';

export interface ApiKeysProps {
  /** Whether those are shown, too, that do not work any more. */
  readonly all: boolean;
  readonly show: (all: boolean) => void;
}

/** Keys of programs, and of people where nobody signs in otherwise. */
export function ApiKeys({ all, show }: ApiKeysProps) {
  const may = useMay('keys:write');
  const { actor } = useSession();
  const [making, setMaking] = useState(false);
  const [begin, dialog] = useActs();
  const { data, error, refetch } = useQuery({
    queryKey: ['api-keys'],
    queryFn: async ({ signal }) => (await listApiKeys({}, signal)).items,
  });
  /** Keys by how the audit log names them: what people call them is read sooner. */
  const makers = new Map(data?.map(({ id, name }) => [`key:${id}`, name]));
  const revoke = ({ id, name }: ApiKeyView): Act => ({
    label: 'Revoke',
    explanation: `“${name}” (${id}) is refused from now on. It cannot be given back.${
      actor === `key:${id}` ? ' You signed in with it: you are signed out.' : ''
    }`,
    grave: true,
    run: () => revokeApiKey({ id }),
  });
  return (
    <>
      <ListSection
        title="API keys"
        acts={
          <>
            <Checkbox
              label="Also those that have ended"
              checked={all}
              onChange={({ currentTarget }) => show(currentTarget.checked)}
            />
            {may && <Button onClick={() => setMaking(true)}>Make a key…</Button>}
          </>
        }
        query={{ data: data?.filter((key) => all || endOf(key) === undefined), error, refetch }}
        none="No key works."
        head={['Name', 'May', 'Teams', 'Made', 'Expires', 'Acts']}
        keyOf={({ id }) => id}
        cells={(key) => [
          <div key="name">
            <Name>{key.name}</Name>
            <Text size="sm" c="dimmed" ff="monospace">
              {key.id}
            </Text>
          </div>,
          <May key="may" apiKey={key} />,
          <Name key="teams">{key.teams?.join(', ') ?? 'all'}</Name>,
          <span key="made">
            <Instant at={key.created_at} as="day" /> by{' '}
            <span title={key.created_by}>
              <Name>{makers.get(key.created_by) ?? key.created_by}</Name>
            </span>
          </span>,
          key.expires_at === null ? 'never' : <Instant key="expires" at={key.expires_at} />,
          endOf(key) === undefined ? (
            may && (
              <Button
                key="act"
                size="compact-sm"
                variant="default"
                aria-label={`Revoke ${key.name}`}
                onClick={() => begin(revoke(key))}
              >
                Revoke
              </Button>
            )
          ) : (
            <ToneBadge key="ended" tone="quiet">
              {endOf(key)}
            </ToneBadge>
          ),
        ]}
      />
      <NewKeyDialog opened={making} close={() => setMaking(false)} />
      {dialog}
    </>
  );
}

/** Why a key does not work any more; undefined: it does. */
function endOf({ revoked_at: revoked, expires_at: expires }: ApiKeyView): string | undefined {
  if (revoked !== null) return 'revoked';
  return expires !== null && Date.parse(expires) <= Date.now() ? 'expired' : undefined;
}

function May({ apiKey: { scopes } }: { readonly apiKey: ApiKeyView }) {
  const role = roleOf(scopes);
  if (role !== undefined)
    return <span className="name" title={inOrder(scopes).join(', ')}>{`as ${role}`}</span>;
  return <Text size="sm">{inOrder(scopes).join(', ')}</Text>;
}
