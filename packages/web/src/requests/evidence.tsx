import type { TaskView } from '@habeas/contract/api';
import { Text } from '@mantine/core';
import { Words } from '../parts/name.tsx';

/** What a task brought back, in a few lines. */
export function Evidence({ task }: { readonly task: TaskView }) {
  const { evidence, note } = task;
  const lines = evidence === null ? [] : linesOf(evidence);
  return (
    <>
      {lines.map((line) => (
        <Text key={line} size="sm" component="div">
          <Words>{line}</Words>
        </Text>
      ))}
      {note !== null && (
        <Text size="sm" c="dimmed" component="div">
          <Words>{note}</Words>
        </Text>
      )}
    </>
  );
}

function linesOf(evidence: NonNullable<TaskView['evidence']>): readonly string[] {
  const counts = Object.entries(evidence.counts).map(([name, count]) => `${name}: ${count}`);
  return [
    ...(evidence.matched ? [] : ['Nobody was found there.']),
    ...(counts.length === 0 ? [] : [counts.join(', ')]),
    ...evidence.retained.map(({ collection, count, reason }) => `kept ${count} of ${collection}: ${reason}`),
    ...evidence.residuals.map(
      ({ what, until }) => `left: ${what}${until === null ? '' : `, until ${until}`}`,
    ),
    ...evidence.notes,
  ];
}
