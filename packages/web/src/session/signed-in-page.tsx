import { createLazyRoute } from '@tanstack/react-router';
import { useEffect } from 'react';
import { Empty } from '../parts/states.tsx';
import { tellOtherTabs } from './other-tabs.ts';
import { useSession } from './session.tsx';

/** Where the window for signing in ends: it tells the page that waits, and goes. */
function SignedInPage() {
  const { actor } = useSession();
  useEffect(() => {
    tellOtherTabs(actor);
    window.close();
  }, [actor]);
  return (
    <Empty page title="You are signed in">
      Close this window and go on in the other one.
    </Empty>
  );
}

export const route = createLazyRoute('/signed-in')({ component: SignedInPage });
