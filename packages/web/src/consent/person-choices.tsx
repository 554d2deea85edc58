import type { ConsentHistoryItem, ConsentView, Identity } from '@habeas/contract/api';
import { Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getConsentReceipt } from '../api/operations.ts';
import { BusyButton } from '../parts/busy-button.tsx';
import { Instant } from '../parts/instant.tsx';
import { ListSection } from '../parts/list-section.tsx';
import { Name, Words } from '../parts/name.tsx';
import { saveFile } from '../parts/save-file.ts';
import { ToneBadge } from '../parts/tone-badge.tsx';
import { useMay } from '../session/session.tsx';
import { purposesQuery } from './queries.ts';
import { nameOf } from './words.ts';

const said = (yes: boolean) => (yes ? 'yes' : 'no');

/** What the person said last about each purpose, and what follows from it. */
export function PersonChoices({ consent }: { readonly consent: ConsentView }) {
  const { data: purposes = [] } = useQuery({ ...purposesQuery, enabled: useMay('consent:read') });
  return (
    <ListSection
      title="What holds now"
      query={{ data: consent.purposes }}
      none="There are no purposes."
      head={['Purpose', 'They said', 'Their data may be used']}
      keyOf={({ code }) => code}
      cells={(one) => [
        <Name key="code">
          {nameOf(purposes.find(({ code }) => code === one.code) ?? { ...one, name: {} })}
        </Name>,
        <span key="said">
          {one.said === null ? 'nothing' : said(one.said)}
          {one.ask_again === true && ', too long ago: ask again'}
        </span>,
        <ToneBadge key="allowed" tone={one.allowed ? 'good' : 'quiet'}>
          {said(one.allowed)}
        </ToneBadge>,
      ]}
    />
  );
}

export interface PersonHistoryProps {
  readonly identity: Identity;
  readonly items: readonly ConsentHistoryItem[];
}

/** All that they said, each with its receipt. */
export function PersonHistory({ identity, items }: PersonHistoryProps) {
  return (
    <ListSection
      title="What they said, in this order"
      query={{ data: items }}
      none="They said nothing that Habeas knows of."
      head={['When', 'Received', 'What', 'From', 'Notice', 'Receipt']}
      keyOf={({ event_id: id }) => id}
      cells={(one) => [
        <Instant key="said" at={one.said_at} />,
        <Instant key="received" at={one.received_at} />,
        <Words key="what">
          {Object.entries(one.choices)
            .map(([code, yes]) => `${code}: ${said(yes)}`)
            .join(', ')}
        </Words>,
        one.source,
        one.notice !== null && (
          <Words key="notice">
            {[one.notice.version, one.notice.language, one.notice.variant].filter(Boolean).join(', ')}
          </Words>
        ),
        <Receipt key="receipt" identity={identity} eventId={one.event_id} />,
      ]}
    />
  );
}

interface ReceiptProps {
  readonly identity: Identity;
  readonly eventId: string;
}

/** Saves the signed receipt of one statement; `habeas verify` proves it without this server. */
function Receipt({ identity, eventId }: ReceiptProps) {
  const issuing = useMutation({
    gcTime: 0,
    mutationFn: () => getConsentReceipt({ body: { identity, event_id: eventId } }),
    onSuccess: (receipt) =>
      saveFile('consent-receipt.json', 'application/json', JSON.stringify(receipt, null, 2)),
  });
  return (
    <div role="status">
      <BusyButton
        size="compact-sm"
        variant="default"
        busy={issuing.isPending}
        onClick={() => issuing.mutate()}
        aria-label="Save the receipt"
      >
        Save
      </BusyButton>
      {issuing.error !== null && <Text size="sm">{issuing.error.message}</Text>}
    </div>
  );
}
