import type { LegalHoldView } from '@habeas/contract/api';
import { Button, NativeSelect, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { createLazyRoute } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { releaseLegalHold } from '../api/operations.ts';
import type { Act } from '../parts/act-dialog.tsx';
import { Instant } from '../parts/instant.tsx';
import { TextLink } from '../parts/links.tsx';
import { ListSection } from '../parts/list-section.tsx';
import { Name, Words } from '../parts/name.tsx';
import { ShowMore } from '../parts/show-more.tsx';
import { PageHeader } from '../parts/states.tsx';
import { useActs } from '../parts/use-acts.tsx';
import { useMay } from '../session/session.tsx';
import { PlaceHoldDialog } from './place-hold-dialog.tsx';
import { holdsQuery } from './queries.ts';

export const route = createLazyRoute('/holds')({ component: HoldsPage });

const FILTERS = [
  { value: 'false', label: 'In force' },
  { value: 'true', label: 'Released' },
];

/** What must not be destroyed, whoever asks for it. */
function HoldsPage() {
  const { released = 'false' } = route.useSearch();
  const navigate = route.useNavigate();
  const may = useMay('holds:write');
  const [placing, setPlacing] = useState(false);
  return (
    <>
      <PageHeader title="Legal holds">
        <NativeSelect
          aria-label="Which"
          value={released}
          data={FILTERS}
          onChange={({ currentTarget: { value } }) =>
            void navigate({ search: value === 'true' ? { released: 'true' } : {} })
          }
        />
        {may && <Button onClick={() => setPlacing(true)}>Place a hold…</Button>}
      </PageHeader>
      {released === 'true' ? <Released /> : <InForce />}
      <PlaceHoldDialog opened={placing} close={() => setPlacing(false)} />
    </>
  );
}

function InForce() {
  const may = useMay('holds:write');
  const [begin, dialog] = useActs();
  const release = (hold: LegalHoldView): Act => ({
    label: 'Release',
    explanation:
      'Requests that nothing else holds go on from where they were, and may destroy what was kept until now.',
    grave: true,
    reason: 'words',
    run: (reason) => releaseLegalHold({ id: hold.id, body: { reason } }),
  });
  return (
    <>
      <Holds
        title="In force, newest first"
        released="false"
        none="No hold is in force."
        head={['Requests that it holds', 'Acts']}
        cells={(hold) => [
          <Held key="held" requests={hold.requests} />,
          may && (
            <Button
              key="act"
              size="compact-sm"
              variant="default"
              aria-label={`Release the hold on ${covers(hold)}`}
              onClick={() => begin(release(hold))}
            >
              Release
            </Button>
          ),
        ]}
      />
      {dialog}
    </>
  );
}

function Released() {
  return (
    <Holds
      title="Released, newest first"
      released="true"
      none="No hold has been released yet."
      head={['Released', 'Why']}
      cells={({ released_at: at, released_by: by, release_reason: why }) => [
        <span key="at">
          {at !== null && <Instant at={at} />} by <Name>{by ?? ''}</Name>
        </span>,
        <Words key="why">{why ?? ''}</Words>,
      ]}
    />
  );
}

interface HoldsProps {
  readonly title: string;
  readonly released: 'true' | 'false';
  readonly none: string;
  /** What stands beside what every hold has. */
  readonly head: readonly string[];
  readonly cells: (hold: LegalHoldView) => readonly ReactNode[];
}

function Holds({ title, released, none, head, cells }: HoldsProps) {
  const query = useInfiniteQuery(holdsQuery({ released }));
  const { data, error, refetch } = query;
  const holds = data?.pages.flatMap(({ items }) => items);
  return (
    <>
      <ListSection<LegalHoldView>
        title={title}
        query={{ data: holds, error, refetch }}
        none={none}
        head={['On', 'Reason', 'Placed', ...head]}
        keyOf={({ id }) => id}
        cells={(hold) => [
          <div key="on">
            <Name>{covers(hold)}</Name>
            <Text size="sm" c="dimmed" ff="monospace">
              {hold.id}
            </Text>
          </div>,
          <Words key="why">{hold.reason}</Words>,
          <span key="placed">
            <Instant at={hold.placed_at} /> by <Name>{hold.placed_by}</Name>
          </span>,
          ...cells(hold),
        ]}
      />
      <ShowMore query={query} shown={holds?.length} />
    </>
  );
}

/** What a hold is on, in words; a person is known by keyed digests alone. */
function covers({ scope, system, category, identity_types: types }: LegalHoldView): string {
  if (scope === 'system') return `the system ${system}`;
  if (scope === 'category') return `${category} and all below it`;
  return scope === 'subject' ? `a person, by ${types.join(', ')}` : 'everything';
}

const SHOWN = 3;

function Held({ requests }: { readonly requests: readonly string[] }) {
  if (requests.length === 0) return <Text c="dimmed">none now</Text>;
  return (
    <>
      {requests.slice(0, SHOWN).map((id) => (
        <div key={id}>
          <TextLink to="/requests/$id" params={{ id }} ff="monospace" size="sm">
            {id}
          </TextLink>
        </div>
      ))}
      {requests.length > SHOWN && (
        <TextLink to="/requests" search={{ state: 'held' }} size="sm">
          and {requests.length - SHOWN} more
        </TextLink>
      )}
    </>
  );
}
