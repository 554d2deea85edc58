import type { GapView } from '@habeas/contract/api';
import { Button, Group } from '@mantine/core';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { approveGap, rejectGap, reopenGap } from '../api/operations.ts';
import { clientActs } from '../connections/client-acts.ts';
import type { Act } from '../parts/act-dialog.tsx';
import { useActs } from '../parts/use-acts.tsx';
import { useMay } from '../session/session.tsx';
import { ClassifyDialog } from './classify-dialog.tsx';

/** What can be decided about a gap, in place, by who may; and the dialogs that take the reason. */
export function useGapActs(): readonly [actsOn: (gap: GapView) => ReactNode, dialogs: ReactNode] {
  const mayDecide = useMay('map:approve');
  const mayConnect = useMay('connections:write');
  const [begin, dialog] = useActs();
  const [classified, classify] = useState<GapView>();
  const button = ({ label }: Pick<Act, 'label'>, gap: GapView, act: () => void) => (
    <Button
      key={label}
      size="compact-sm"
      variant="default"
      aria-label={`${label}: ${subjectOf(gap)}`}
      onClick={act}
    >
      {label}
    </Button>
  );
  const actsOn = (gap: GapView) => {
    const acts = (gap.client === null ? mayDecide : mayConnect) ? actsOf(gap) : [];
    if (acts.length === 0) return null;
    return (
      <Group gap="xs" wrap="nowrap">
        {acts.map((act) => button(act, gap, () => (act === CLASSIFY ? classify(gap) : begin(act))))}
      </Group>
    );
  };
  return [
    actsOn,
    <div key="dialogs">
      {dialog}
      <ClassifyDialog gap={classified} close={() => classify(undefined)} />
    </div>,
  ];
}

/** Asks for a category, too: it has a dialog of its own. */
const CLASSIFY: Act = { label: 'Approve', explanation: '', run: () => Promise.resolve() };

function actsOf({ id, kind, client, decision }: GapView): readonly Act[] {
  if (client !== null) {
    const { approve, reject } = clientActs(client);
    return [approve, reject];
  }
  if (id === null) return [];
  const takeBack: Act = {
    label: 'Take back',
    explanation: 'It is open again, as if nobody had decided.',
    reason: 'words',
    run: (reason) => reopenGap({ id, body: { reason } }),
  };
  const approve: Act = {
    label: 'Approve',
    explanation: 'It is right as it is, and no gap any more until somebody takes that back.',
    reason: 'words',
    run: (reason) => approveGap({ id, body: { reason } }),
  };
  const reject: Act = {
    label: 'Reject',
    explanation: 'It must not stay as it is. It is shown as rejected, with your reason, until it is mended.',
    reason: 'words',
    run: (reason) => rejectGap({ id, body: { reason } }),
  };
  if (decision !== null) return [takeBack];
  return [kind === 'data-type-without-category' ? CLASSIFY : approve, reject];
}

/** For whom buttons are read out one by one. */
const subjectOf = ({ kind, service, team, data_type: type }: GapView) =>
  [kind, service, team, type].filter((name) => name !== null).join(' ');
