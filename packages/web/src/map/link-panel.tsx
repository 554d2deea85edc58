import { List, Stack, Text } from '@mantine/core';
import { Instant } from '../parts/instant.tsx';
import { Name, Words } from '../parts/name.tsx';
import { gapsOfLink } from './about-gaps.ts';
import type { MapLink } from './collapse.ts';
import { MARKS } from './drawn.ts';
import { GapList } from './gap-list.tsx';
import type { SelectionPanelProps } from './selection-props.ts';

const SHOWN = 30;

export interface LinkPanelProps extends Pick<SelectionPanelProps, 'drawn' | 'map'> {
  readonly link: MapLink;
}

/** A link: from whom, to whom, which data, since when, and who says so. */
export function LinkPanel({ link, drawn, map }: LinkPanelProps) {
  const nodeOf = (id: string) => drawn.nodes.find((node) => node.id === id);
  const ends = [
    ['From', nodeOf(link.from)],
    ['To', nodeOf(link.to)],
  ] as const;
  return (
    <Stack gap="xs">
      {ends.map(([word, node]) => (
        <Text key={word}>
          {word} <Name>{node?.name ?? ''}</Name>
          {node?.kind === 'service' && (
            <>
              {' '}
              (team <Name>{node.team}</Name>)
            </>
          )}
        </Text>
      ))}
      {link.marks.length > 0 && (
        <Text>{link.marks.map((mark) => `${MARKS[mark].sign} ${mark}`).join(', ')}</Text>
      )}
      <Text size="sm" c="dimmed">
        Data transmitted
      </Text>
      <List size="sm">
        {link.flows.slice(0, SHOWN).map((flow) => (
          <List.Item key={JSON.stringify([flow.from, flow.to, flow.data_type, flow.source, flow.team])}>
            <Name>{flow.data_type}</Name> (<Words>{flow.category ?? 'no category'}</Words>):{' '}
            <Name>{flow.from}</Name> → <Name>{flow.to}</Name>, since <Instant at={flow.first_seen} as="day" />
            , {flow.evidence} by <Words>{flow.source}</Words>
          </List.Item>
        ))}
      </List>
      <GapList gaps={gapsOfLink(link, map.gaps)} />
      {link.flows.length > SHOWN && (
        <Text size="sm">and {link.flows.length - SHOWN} more; the table has all</Text>
      )}
    </Stack>
  );
}
