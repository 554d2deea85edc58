import { useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { KeyDialog } from './key-dialog.tsx';
import { useOtherTabs } from './other-tabs.ts';
import { SessionContext, sessionQuery, useCurrentSession } from './session.tsx';
import { SignInPage } from './sign-in-page.tsx';

/** The dashboard for who signed in, and the way in for everybody else. */
export function SignedIn({ children }: { readonly children: ReactNode }) {
  const session = useCurrentSession();
  const client = useQueryClient();
  useOtherTabs((actor) => {
    if (actor !== (session?.actor ?? null))
      void client.invalidateQueries({ queryKey: sessionQuery.queryKey });
  });
  if (session === null) return <SignInPage />;
  return (
    <SessionContext value={session}>
      {children}
      <KeyDialog />
    </SessionContext>
  );
}
