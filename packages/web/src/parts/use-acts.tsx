import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { refresh } from '../api/refresh.ts';
import { type Act, ActDialog } from './act-dialog.tsx';

/** The dialog of a page that asks before an act, and what opens it. Everything is asked for again once it is done. */
export function useActs(): readonly [begin: (act: Act) => void, dialog: ReactNode] {
  const client = useQueryClient();
  const [act, setAct] = useState<Act>();
  return [
    setAct,
    <ActDialog key="act" act={act} close={() => setAct(undefined)} done={() => void refresh(client)} />,
  ];
}
