import { useEffect, useEffectEvent } from 'react';

/** What tabs of one browser tell each other, so that all of them are signed in or none: who signed in, or null. */
const tabs = new BroadcastChannel('habeas-session');

export function tellOtherTabs(actor: string | null): void {
  tabs.postMessage(actor);
}

/** Calls `heard` each time somebody signed in or out in another tab. */
export function useOtherTabs(heard: (actor: string | null) => void): void {
  const latest = useEffectEvent(heard);
  useEffect(() => {
    const hear = ({ data }: MessageEvent<string | null>) => latest(data);
    tabs.addEventListener('message', hear);
    return () => tabs.removeEventListener('message', hear);
  }, []);
}
