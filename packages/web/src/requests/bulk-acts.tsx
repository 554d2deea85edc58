import { Alert, Button, Group, List, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { cancelRequest, holdRequest, releaseRequest } from '../api/operations.ts';
import { refresh } from '../api/refresh.ts';
import { type Act, ActDialog } from '../parts/act-dialog.tsx';
import { useMay } from '../session/session.tsx';

export interface BulkActsProps {
  readonly chosen: ReadonlySet<string>;
  readonly done: () => void;
}

interface Outcome {
  readonly done: number;
  readonly refused: readonly { readonly id: string; readonly why: string }[];
}

/** What can be done with many requests at once. One that refuses does not stop the others, and is named. */
export function BulkActs({ chosen, done }: BulkActsProps) {
  const may = useMay('requests:write');
  const client = useQueryClient();
  const [act, setAct] = useState<Act>();
  const [outcome, setOutcome] = useState<Outcome>();
  const many = `${chosen.size} ${chosen.size === 1 ? 'request' : 'requests'}`;
  const forEach = (run: (id: string, reason: string) => Promise<unknown>) => async (reason: string) => {
    setOutcome(await onEach([...chosen], (id) => run(id, reason)));
    await refresh(client);
  };
  const acts: readonly Act[] = [
    {
      label: `Hold ${many}`,
      explanation: 'They stop before anything more is destroyed, until somebody lets them go on.',
      reason: 'words',
      run: forEach((id, reason) => holdRequest({ id, body: { reason } })),
    },
    {
      label: `Release ${many}`,
      explanation: 'They go on from where they were held.',
      run: forEach((id) => releaseRequest({ id })),
    },
    {
      label: `Cancel ${many}`,
      explanation:
        'They end without an answer. What has begun to destroy something cannot be cancelled any more.',
      grave: true,
      reason: 'words',
      run: forEach((id, reason) => cancelRequest({ id, body: { reason } })),
    },
  ];
  return (
    <>
      {may && chosen.size > 0 && (
        <Group mb="md" gap="xs" role="group" aria-label="With those that are chosen">
          {acts.map((one) => (
            <Button key={one.label} variant="default" onClick={() => setAct(one)}>
              {one.label}
            </Button>
          ))}
        </Group>
      )}
      <ActDialog act={act} close={() => setAct(undefined)} done={done} />
      {outcome !== undefined && <OutcomeAlert outcome={outcome} close={() => setOutcome(undefined)} />}
    </>
  );
}

/** One after the other, so that a long list does not take the server from everybody else. */
async function onEach(ids: readonly string[], run: (id: string) => Promise<unknown>): Promise<Outcome> {
  const refused: { id: string; why: string }[] = [];
  for (const id of ids) {
    try {
      await run(id);
    } catch (error) {
      refused.push({ id, why: error instanceof Error ? error.message : String(error) });
    }
  }
  return { done: ids.length - refused.length, refused };
}

function OutcomeAlert({ outcome, close }: { readonly outcome: Outcome; readonly close: () => void }) {
  const { done, refused } = outcome;
  return (
    <Alert
      mb="md"
      color={refused.length === 0 ? 'teal' : 'yellow'}
      title={`${done} done${refused.length === 0 ? '' : `, ${refused.length} refused`}`}
      withCloseButton
      closeButtonLabel="Close"
      onClose={close}
      role="status"
    >
      <List size="sm">
        {refused.map(({ id, why }) => (
          <List.Item key={id}>
            <Text span ff="monospace" size="sm">
              {id}
            </Text>
            : {why}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}
