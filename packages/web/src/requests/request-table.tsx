import type { RequestView } from '@habeas/contract/api';
import { Checkbox, Table, Text } from '@mantine/core';
import { DrawnRows, type RowPlace } from '../parts/drawn-rows.tsx';
import { Instant } from '../parts/instant.tsx';
import { TextLink } from '../parts/links.tsx';
import { Name } from '../parts/name.tsx';
import { ToneBadge } from '../parts/tone-badge.tsx';
import { DueBy } from './due-by.tsx';
import { RIGHT_WORDS, STATE_TONES } from './words.ts';

export interface RequestTableProps {
  readonly requests: readonly RequestView[];
  readonly chosen: ReadonlySet<string>;
  readonly choose: (ids: ReadonlySet<string>) => void;
  /** Whether these are all that fit. */
  readonly all: boolean;
  readonly nearEnd: () => void;
}

const COLUMNS = ['Request', 'Right', 'State', 'Received', 'Due', 'Open tasks', 'Law', 'Owner'];
/** Of a table that goes on. (WAI-ARIA 1.2, aria-rowcount) */
const NOBODY_KNOWS = -1;

export function RequestTable({ requests, chosen, choose, all: complete, nearEnd }: RequestTableProps) {
  const all = requests.every(({ id }) => chosen.has(id));
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    choose(next);
  };
  return (
    <Table.ScrollContainer minWidth={800}>
      <Table stickyHeader aria-rowcount={complete ? requests.length + 1 : NOBODY_KNOWS}>
        <Table.Thead>
          <Table.Tr aria-rowindex={1}>
            <Table.Th>
              <Checkbox
                aria-label="Choose all that are shown"
                checked={all}
                indeterminate={chosen.size > 0 && !all}
                onChange={() => choose(new Set(all ? [] : requests.map(({ id }) => id)))}
              />
            </Table.Th>
            {COLUMNS.map((name) => (
              <Table.Th key={name}>{name}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <DrawnRows
          items={requests}
          keyOf={({ id }) => id}
          columns={COLUMNS.length + 1}
          nearEnd={nearEnd}
          row={(request, place) => (
            <RequestRow
              key={request.id}
              place={place}
              request={request}
              chosen={chosen.has(request.id)}
              toggle={() => toggle(request.id)}
            />
          )}
        />
      </Table>
    </Table.ScrollContainer>
  );
}

interface RowProps {
  readonly place: RowPlace;
  readonly request: RequestView;
  readonly chosen: boolean;
  readonly toggle: () => void;
}

function RequestRow({ place, request, chosen, toggle }: RowProps) {
  const { id, right, state, tasks } = request;
  return (
    <Table.Tr {...place}>
      <Table.Td>
        <Checkbox aria-label={`Choose ${id}`} checked={chosen} onChange={toggle} />
      </Table.Td>
      <Table.Td>
        <TextLink to="/requests/$id" params={{ id }} ff="monospace" size="sm">
          {id}
        </TextLink>
      </Table.Td>
      <Table.Td>
        {RIGHT_WORDS[right]}
        {request.dry_run && (
          <Text span c="dimmed" size="sm">
            {' '}
            (dry run)
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <ToneBadge tone={STATE_TONES[state]}>{state}</ToneBadge>
      </Table.Td>
      <Table.Td>
        <Instant at={request.received_at} as="day" />
      </Table.Td>
      <Table.Td>
        <DueBy request={request} />
      </Table.Td>
      <Table.Td className="numbers">
        {tasks.open} of {tasks.total}
        {tasks.blocked > 0 && `, ${tasks.blocked} blocked`}
      </Table.Td>
      <Table.Td>{request.regime ?? ''}</Table.Td>
      <Table.Td>{request.owner === null ? '' : <Name>{request.owner}</Name>}</Table.Td>
    </Table.Tr>
  );
}
