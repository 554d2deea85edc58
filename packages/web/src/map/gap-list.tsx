import type { GapView } from '@habeas/contract/api';
import { List, Text } from '@mantine/core';
import { Words } from '../parts/name.tsx';
import { useGapActs } from './gap-acts.tsx';
import { GapDecision } from './map-gaps.tsx';

const SHOWN = 12;

/** Gaps of what is chosen in the picture, with what can be decided about each. */
export function GapList({ gaps }: { readonly gaps: readonly GapView[] }) {
  const [actsOn, dialogs] = useGapActs();
  if (gaps.length === 0) return null;
  return (
    <div>
      <Text size="sm" c="dimmed">
        Gaps
      </Text>
      <List size="sm" spacing="xs">
        {gaps.slice(0, SHOWN).map((gap) => (
          <List.Item key={`${gap.kind} ${gap.message}`}>
            <Words>{gap.message}</Words>
            <GapDecision gap={gap} />
            {actsOn(gap)}
          </List.Item>
        ))}
      </List>
      {gaps.length > SHOWN && <Text size="sm">and {gaps.length - SHOWN} more; the list of gaps has all</Text>}
      {dialogs}
    </div>
  );
}
