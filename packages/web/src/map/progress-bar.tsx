import { Badge, Button, Group, Paper, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { TextLink } from '../parts/links.tsx';
import { Failure } from '../parts/states.tsx';
import { ToneBadge } from '../parts/tone-badge.tsx';
import { requestQuery } from '../requests/queries.ts';
import { RIGHT_WORDS, STATE_TONES } from '../requests/words.ts';
import { PROGRESS, type ServiceProgress } from './progress.ts';

export interface ProgressBarProps {
  readonly request: string;
  readonly progress: ReadonlyMap<string, ServiceProgress> | undefined;
  readonly error: Error | null;
  readonly takeOff: () => void;
}

/** Whose progress the map shows, how to read it, and the way back. */
export function ProgressBar({ request: id, progress, error, takeOff }: ProgressBarProps) {
  const { data: request, error: unknown } = useQuery(requestQuery(id));
  const failure = error ?? unknown;
  const counts = [...(progress?.values() ?? [])];
  return (
    <Paper withBorder p="sm" mb="sm" component="section" aria-label="Progress of a request">
      <Group gap="sm">
        <Text span>
          {request === undefined ? 'Request' : RIGHT_WORDS[request.right]}{' '}
          <TextLink to="/requests/$id" params={{ id }} ff="monospace" size="sm">
            {id}
          </TextLink>
        </Text>
        {request !== undefined && <ToneBadge tone={STATE_TONES[request.state]}>{request.state}</ToneBadge>}
        {Object.entries(PROGRESS).map(([name, { sign, words }]) => (
          <Badge key={name} variant="light" color="gray" className="tone" tt="none">
            {sign} {words}: {counts.filter((one) => one.progress === name).length}
          </Badge>
        ))}
        <Button variant="default" size="compact-sm" onClick={takeOff}>
          Take it off the map
        </Button>
      </Group>
      {failure !== null && <Failure error={failure} />}
      {failure === null && progress?.size === 0 && (
        <Text size="sm" c="dimmed">
          It has no task at any service yet.
        </Text>
      )}
    </Paper>
  );
}
