import type { PauseView } from '@habeas/contract/api';
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { listPauses, pause, resume } from '../api/operations.ts';
import type { Act } from '../parts/act-dialog.tsx';
import { Instant } from '../parts/instant.tsx';
import { ListSection } from '../parts/list-section.tsx';
import { Name, Words } from '../parts/name.tsx';
import { useActs } from '../parts/use-acts.tsx';
import { useMay } from '../session/session.tsx';

/** What is stopped, by whom and why, and the way to let it go on. */
export function Pauses() {
  const may = useMay('pauses:write');
  const [begin, dialog] = useActs();
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
            <Button key="act" size="compact-sm" variant="default" onClick={() => begin(resumeAct(one))}>
              Let it go on
            </Button>
          ),
        ]}
      />
      {may && query.data?.every(({ scope }) => scope === 'system') && (
        <Button mt="sm" variant="default" onClick={() => begin(pauseAll)}>
          Pause everything…
        </Button>
      )}
      {dialog}
    </div>
  );
}
