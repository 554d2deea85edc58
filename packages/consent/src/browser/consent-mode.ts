import type { Consent } from '../core/index.ts';

declare global {
  interface Window {
    dataLayer?: unknown[];
  }
}

/** Google's signals by purpose: `analytics=analytics_storage advertising=ad_storage,ad_user_data,ad_personalization`. */
function parse(text: string): readonly (readonly [signal: string, purpose: string])[] {
  return (text.match(/\S+/g) ?? []).flatMap((entry) => {
    const [purpose = '', signals = ''] = entry.split('=');
    return signals.split(',').map((signal) => [signal, purpose] as const);
  });
}

/** How long Google's tags wait for the first update. */
const WAIT_MILLISECONDS = 500;

/**
 * Google Consent Mode v2: everything is denied before anything is known, and updated whenever what is allowed changes.
 * Gives the function that updates.
 */
export function consentMode(text: string, { allowed }: Pick<Consent, 'allowed'>): () => void {
  const signals = parse(text);
  let before = '';
  const layer = window.dataLayer ?? [];
  window.dataLayer = layer;
  // Google's tags know a command by its being `arguments`.
  function gtag(..._command: unknown[]): void {
    // biome-ignore lint/complexity/noArguments: an array would be taken for something else
    layer.push(arguments);
  }
  // What serves several purposes is granted where all of them are.
  const state = (isGranted: (purpose: string) => boolean) =>
    Object.fromEntries(
      signals.map(([signal]) => {
        const isWhole = signals.every(([other, purpose]) => other !== signal || isGranted(purpose));
        return [signal, isWhole ? 'granted' : 'denied'];
      }),
    );
  gtag('consent', 'default', { ...state(() => false), wait_for_update: WAIT_MILLISECONDS });
  return () => {
    const next = state(allowed);
    const told = JSON.stringify(next);
    if (told === before) return;
    before = told;
    gtag('consent', 'update', next);
  };
}
