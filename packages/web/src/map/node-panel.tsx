import { Button, Group, List, Stack, Text } from '@mantine/core';
import { ButtonLink } from '../parts/links.tsx';
import { Name } from '../parts/name.tsx';
import { gapsOfNode } from './about-gaps.ts';
import { type MapNode, NO_TEAM } from './collapse.ts';
import { GapList } from './gap-list.tsx';
import type { SelectionPanelProps } from './selection-props.ts';

const ANSWERS = {
  client: 'requests reach it by its own client',
  connection: 'requests reach it by a connection',
  ticket: 'requests reach it by a ticket to its team',
  nobody: 'no request reaches it: that is a gap',
} as const;

/** A team or a service: what it holds, what goes in and out, and what can be asked of it. */
export function NodePanel({
  node,
  map,
  drawn,
  change,
  open,
  toggle,
}: SelectionPanelProps & { readonly node: MapNode }) {
  const service = node.kind === 'service' ? map.services.find(({ name }) => name === node.name) : undefined;
  const nameOf = (id: string) => drawn.nodes.find((one) => one.id === id)?.name ?? id;
  const into = drawn.links.filter(({ to }) => to === node.id).map(({ from }) => nameOf(from));
  const out = drawn.links.filter(({ from }) => from === node.id).map(({ to }) => nameOf(to));
  return (
    <Stack gap="xs">
      <Text>
        {node.id === `team:${NO_TEAM}` ? (
          'Services without a team'
        ) : (
          <>
            {node.kind === 'team' ? 'Team' : 'Service'} <Name>{node.name}</Name>
          </>
        )}
        {node.kind === 'service' && (
          <>
            {' '}
            of <Name>{node.team}</Name>
          </>
        )}
        {node.external && ', external'}
      </Text>
      {service !== undefined && (
        <Text size="sm" c="dimmed">
          {ANSWERS[service.answered_by]}
        </Text>
      )}
      {node.kind === 'team' && <Names title="Services" names={node.services} />}
      <Names title="Stores" names={node.stores} />
      <Names title="Gets data from" names={into} />
      <Names title="Sends data to" names={out} />
      <GapList gaps={gapsOfNode(node, map.gaps)} />
      <Group gap="xs">
        <Button size="compact-sm" variant="default" onClick={() => toggle(node.team)}>
          {open.has(node.team) ? 'Close the team' : 'Open the team'}
        </Button>
        {node.id !== `team:${NO_TEAM}` && (
          <ButtonLink
            size="compact-sm"
            variant="default"
            to="/catalog"
            search={node.kind === 'service' ? { service: node.name } : { team: node.name }}
          >
            Fields in the catalog
          </ButtonLink>
        )}
        {node.kind === 'service' ? (
          <>
            <Button size="compact-sm" onClick={() => change({ reach: node.name })}>
              Where can it end up?
            </Button>
            <Button size="compact-sm" variant="default" onClick={() => change({ service: node.name })}>
              Only this service
            </Button>
          </>
        ) : (
          <Button size="compact-sm" variant="default" onClick={() => change({ team: node.name })}>
            Only this team
          </Button>
        )}
      </Group>
    </Stack>
  );
}

const SHOWN = 12;

function Names({ title, names }: { readonly title: string; readonly names: readonly string[] }) {
  if (names.length === 0) return null;
  return (
    <div>
      <Text size="sm" c="dimmed">
        {title}
      </Text>
      <List size="sm">
        {names.slice(0, SHOWN).map((name) => (
          <List.Item key={name}>
            <Name>{name}</Name>
          </List.Item>
        ))}
      </List>
      {names.length > SHOWN && <Text size="sm">and {names.length - SHOWN} more</Text>}
    </div>
  );
}
