import type { PauseView } from '@habeas/contract/api';
import { Button } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { listPauses, pause, resume } from '../api/operations.ts';
import { type Act, ActDialog } from '../parts/act-dialog.tsx';
import { Instant } from '../parts/instant.tsx';
import { ListSection } from '../parts/list-section.tsx';
import { Name, Words } from '../parts/name.tsx';
import { useMay } from '../session/session.tsx';

/** What is stopped, by whom and why, and the way to let it go on. */
export function Pauses() {
  const client = useQueryClient();
  const may = useMay('pauses:write');
  const [act, setAct] = useState<Act>();
  const query = useQuery({
    queryKey: ['pauses'],
    queryFn: async ({ signal }) => (await listPauses({}, signal)).items,
  });
  const pauseAll: Act = {
    label: 'Pause everything',
    explanation:
      'Nothing is done on any system of this organization until somebody lets it go on. Requests are still taken in.',
    grave: true,
    reason: 'words',
    run: (reason) => pause({ body: { system: null, reason } }),
  };
  const resumeAct = ({ system }: PauseView): Act => ({
    label: 'Let it go on',
    explanation: `Work on ${system ?? 'all systems'} goes on from where it stopped.`,
    run: () => resume({ body: { system } }),
  });
  return (
    <div>
      <ListSection
        title="Paused"
        query={query}
        none="Work goes on everywhere."
        head={['What', 'Reason', 'By', 'Since', 'Acts']}
        keyOf={({ scope, system }) => `${scope} ${system}`}
        cells={(one) => [
          <Name key="what">{one.system ?? `the whole ${one.scope}`}</Name>,
          <Words key="why">{one.reason}</Words>,
          <Name key="by">{one.paused_by}</Name>,
          <Instant key="at" at={one.paused_at} />,
          may && one.scope !== 'installation' && (
            <Button key="act" size="compact-sm" variant="default" onClick={() => setAct(resumeAct(one))}>
              Let it go on
            </Button>
          ),
        ]}
      />
      {may && query.data?.every(({ scope }) => scope === 'system') && (
        <Button mt="sm" variant="default" onClick={() => setAct(pauseAll)}>
          Pause everything…
        </Button>
      )}
      <ActDialog act={act} close={() => setAct(undefined)} done={() => void client.invalidateQueries()} />
    </div>
  );
}
