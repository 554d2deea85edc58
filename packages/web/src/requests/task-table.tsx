import type { PlanView, TaskView } from '@habeas/contract/api';
import { Button, Group, Table, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { pause, retryTask, skipTask } from '../api/operations.ts';
import { type Act, ActDialog } from '../parts/act-dialog.tsx';
import { Instant } from '../parts/instant.tsx';
import { Name, Words } from '../parts/name.tsx';
import { ToneBadge } from '../parts/tone-badge.tsx';
import { useSession } from '../session/session.tsx';
import { ReassignDialog, type ReassignDialogProps } from '../tickets/reassign-dialog.tsx';
import { Evidence } from './evidence.tsx';
import { TASK_TONES } from './words.ts';

export interface TaskTableProps {
  readonly requestId: string;
  readonly tasks: readonly TaskView[];
  readonly plan: PlanView | undefined;
}

export function TaskTable({ requestId, tasks, plan }: TaskTableProps) {
  const client = useQueryClient();
  const [act, setAct] = useState<Act>();
  const [handed, setHanded] = useState<ReassignDialogProps['ticket']>();
  const explanations = new Map(plan?.tasks.map(({ key, explanation }) => [key, explanation]));
  return (
    <>
      <Table.ScrollContainer minWidth={800}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              {['Task', 'State', 'System', 'Evidence', 'Ended', 'Acts'].map((name) => (
                <Table.Th key={name}>{name}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {tasks.map((task) => (
              <TaskRow
                key={task.id}
                task={task}
                explanation={explanations.get(task.key)}
                begin={setAct}
                hand={setHanded}
              />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <ActDialog
        act={act}
        close={() => setAct(undefined)}
        done={() => void client.invalidateQueries({ queryKey: ['request', requestId] })}
      />
      <ReassignDialog ticket={handed} close={() => setHanded(undefined)} />
    </>
  );
}

interface TaskRowProps {
  readonly task: TaskView;
  readonly explanation: string | undefined;
  readonly begin: (act: Act) => void;
  /** Begins to give a ticket to another team. */
  readonly hand: (ticket: ReassignDialogProps['ticket']) => void;
}

function TaskRow({ task, explanation, begin, hand }: TaskRowProps) {
  return (
    <Table.Tr>
      <Table.Td maw={360}>
        <Name>{task.key}</Name>
        {explanation !== undefined && (
          <Text size="sm" c="dimmed" component="div">
            <Words>{explanation}</Words>
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <ToneBadge tone={TASK_TONES[task.state]}>{task.state}</ToneBadge>
        {task.error !== null && task.state !== 'succeeded' && (
          <Text size="sm" component="div">
            <Words>{task.error.message}</Words>
          </Text>
        )}
        {task.next_attempt_at !== null && task.state === 'ready' && task.failures > 0 && (
          <Text size="sm" c="dimmed">
            tried again <Instant at={task.next_attempt_at} as="distance" />
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        {task.system !== null && <Name>{task.system}</Name>}
        {task.team !== null && (
          <Text size="sm" c="dimmed" component="div">
            <Name>{task.team}</Name>
          </Text>
        )}
      </Table.Td>
      <Table.Td maw={360}>
        <Evidence task={task} />
      </Table.Td>
      <Table.Td>{task.ended_at !== null && <Instant at={task.ended_at} />}</Table.Td>
      <Table.Td>
        <TaskActs task={task} begin={begin} hand={hand} />
      </Table.Td>
    </Table.Tr>
  );
}

function TaskActs({ task, begin, hand }: Omit<TaskRowProps, 'explanation'>) {
  const { scopes } = useSession();
  const isOpenTicket = task.kind === 'ticket' && ['waiting', 'blocked'].includes(task.state);
  const mayReassign = isOpenTicket && scopes.includes('tasks:write');
  const ids = { id: task.request_id, taskId: task.id };
  const acts: Act[] = [];
  if (task.state === 'blocked' && scopes.includes('tasks:write'))
    acts.push(
      {
        label: 'Retry',
        explanation: `${task.key} is tried again now.`,
        run: () => retryTask(ids),
      },
      {
        label: 'Skip',
        explanation: `The request goes on without ${task.key}. The receipt says that it was skipped, and why.`,
        grave: true,
        reason: 'words',
        run: (reason) => skipTask({ ...ids, body: { reason } }),
      },
    );
  const { system } = task;
  if (
    system !== null &&
    ['blocked', 'ready', 'running', 'waiting'].includes(task.state) &&
    scopes.includes('pauses:write')
  )
    acts.push({
      label: 'Pause the system',
      explanation: `Nothing is done on ${system} any more, for any request, until somebody lets it go on.`,
      reason: 'words',
      run: (reason) => pause({ body: { system, reason } }),
    });
  return (
    <Group gap="xs" wrap="nowrap">
      {mayReassign && (
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => hand({ id: task.id, team: task.team ?? '' })}
        >
          Reassign
        </Button>
      )}
      {acts.map((act) => (
        <Button key={act.label} size="compact-sm" variant="default" onClick={() => begin(act)}>
          {act.label}
        </Button>
      ))}
    </Group>
  );
}
