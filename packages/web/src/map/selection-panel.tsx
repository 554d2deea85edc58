import { Button, Paper, Stack, Text, Title } from '@mantine/core';
import { Name } from '../parts/name.tsx';
import { LinkPanel } from './link-panel.tsx';
import { NodePanel } from './node-panel.tsx';
import { ReachPanel } from './reach-panel.tsx';
import type { SelectionPanelProps } from './selection-props.ts';

/** What is chosen in the picture, in words. */
export function SelectionPanel(props: SelectionPanelProps) {
  const { drawn, search, change, reach } = props;
  const node = drawn.nodes.find(({ id }) => id === search.chosen);
  const link = drawn.links.find(({ id }) => id === search.chosen);
  return (
    <Stack>
      <Paper withBorder p="md" component="section" aria-label="Selection" aria-live="polite">
        <Title order={2} mb="xs">
          Selection
        </Title>
        {node !== undefined ? (
          <NodePanel node={node} {...props} />
        ) : link !== undefined ? (
          <LinkPanel link={link} drawn={drawn} map={props.map} />
        ) : (
          <Text c="dimmed" size="sm">
            Choose a team, a service or a link, by pointer or by keyboard (Tab, then Enter).
          </Text>
        )}
      </Paper>
      {search.reach !== undefined && (
        <Paper withBorder p="md" component="section" aria-label="Where data can end up">
          <Title order={2} mb="xs">
            From <Name>{search.reach}</Name>
          </Title>
          <ReachPanel reach={reach} />
          <Button mt="sm" variant="default" size="compact-sm" onClick={() => change({ reach: undefined })}>
            Show everything again
          </Button>
        </Paper>
      )}
    </Stack>
  );
}
