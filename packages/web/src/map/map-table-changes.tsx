import type { ChangeView, MapChangesView } from '@habeas/contract/api';
import { Instant } from '../parts/instant.tsx';
import { ListSection } from '../parts/list-section.tsx';
import { Name } from '../parts/name.tsx';
import { ToneBadge } from '../parts/tone-badge.tsx';
import type { Mark } from './collapse.ts';
import { MARKS } from './drawn.ts';

const TONES = { added: 'good', removed: 'bad', changed: 'watch' } as const;

/** What differs between two moments. */
export function MapTableChanges({ changes }: { readonly changes: MapChangesView }) {
  const rows = (['added', 'removed', 'changed'] as const).flatMap((mark) =>
    changes[mark].map((change): ChangeView & { readonly mark: Mark } => ({ ...change, mark })),
  );
  return (
    <ListSection
      title="Changes"
      query={{ data: rows }}
      none="Nothing differs between the two moments."
      head={['Change', 'What', 'Service', 'To', 'Data type', 'When']}
      keyOf={({ mark, kind, service, to_service: to, data_type: type }) =>
        [mark, kind, service, to, type].join('\0')
      }
      cells={(change) => [
        <ToneBadge key="mark" tone={TONES[change.mark]}>
          {MARKS[change.mark].sign} {change.mark}
        </ToneBadge>,
        change.kind,
        <Name key="service">{change.service}</Name>,
        change.to_service !== null && <Name key="to">{change.to_service}</Name>,
        <Name key="type">{change.data_type}</Name>,
        <Instant key="at" at={change.at} />,
      ]}
    />
  );
}
