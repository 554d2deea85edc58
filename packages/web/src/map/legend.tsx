import { Badge, Button, Group, Text } from '@mantine/core';
import { Name } from '../parts/name.tsx';
import { lineColor } from '../theme/line-color.ts';
import { MARKS } from './drawn.ts';
import type { TeamLook } from './team-look.ts';

export interface LegendProps {
  readonly looks: ReadonlyMap<string, TeamLook>;
  readonly open: ReadonlySet<string>;
  readonly toggle: (team: string) => void;
  readonly compared: boolean;
}

/** Which colour and initials are whose; each opens its team. */
export function Legend({ looks, open, toggle, compared }: LegendProps) {
  return (
    <section aria-label="Legend">
      <Group gap="xs" mt="sm">
        <Text size="sm" fw={600}>
          Legend
        </Text>
        {[...looks].map(([team, { color, pattern, initials }]) => (
          <Button
            key={team}
            size="compact-sm"
            variant="default"
            aria-expanded={open.has(team)}
            leftSection={
              <span
                aria-hidden="true"
                className={`swatch pattern-${pattern}`}
                style={{ ['--node-color' as string]: lineColor(color) }}
              />
            }
            onClick={() => toggle(team)}
          >
            <Group component="span" gap={6} wrap="nowrap">
              {initials} <Name>{team}</Name>
            </Group>
          </Button>
        ))}
        {compared &&
          Object.entries(MARKS).map(([mark, { sign }]) => (
            <Badge key={mark} variant="light" color="gray" className="tone" tt="none">
              {sign} {mark}
            </Badge>
          ))}
      </Group>
    </section>
  );
}
