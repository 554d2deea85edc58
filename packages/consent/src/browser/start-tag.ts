import { type Consent, createConsent } from '../core/index.ts';
import { consentMode } from './consent-mode.ts';
import type { Experience, ExperienceOptions } from './experience.ts';
import { createGate } from './gate.ts';
import { scriptReleaser } from './release-script.ts';

/** What a page finds as `window.habeasConsent`. */
export interface PageConsent extends Consent {
  /** Opens the preference centre; does nothing in the headless tag. */
  open(): void;
}

declare global {
  interface Window {
    habeasConsent?: PageConsent;
  }
  interface Navigator {
    readonly globalPrivacyControl?: boolean;
  }
}

/**
 * Starts the tag of the page, as the attributes of its script element say (docs/consent-tag.md). Each change is told by an
 * event `habeas-consent` of `window`, whose detail is `window.habeasConsent`.
 */
export function startTag(experienceOf?: (consent: Consent, options: ExperienceOptions) => Experience): void {
  const script = document.currentScript;
  if (!(script instanceof HTMLScriptElement) || window.habeasConsent) return;
  const { dataset } = script;
  const consent = createConsent({
    server: dataset.server ?? new URL('../..', script.src).href,
    storage: storageOfPage(),
    language: dataset.language ?? document.documentElement.lang,
    region: dataset.region,
    gpc: !!navigator.globalPrivacyControl,
    source: 'tag',
    onError: (error) => console.warn('habeas:', error),
  });
  const updateConsentMode = dataset.consentMode ? consentMode(dataset.consentMode, consent) : undefined;
  const gate = createGate(consent, scriptReleaser(dataset.trustedTypes !== undefined, script.nonce));
  const experience = experienceOf?.(consent, {
    nonce: script.nonce,
    theme: dataset.theme,
    hasButton: dataset.button !== 'off',
  });
  const page = Object.assign(consent, { open: () => experience?.open() });
  window.habeasConsent = page;

  function show(): void {
    updateConsentMode?.();
    experience?.render();
    void gate.run();
    dispatchEvent(new CustomEvent('habeas-consent', { detail: page }));
    // What has run cannot be stopped otherwise; where the refusal is not kept, it would run again on the new page.
    if (gate.hasRunRefused() && consent.isKept && dataset.onWithdrawal !== 'event') location.reload();
  }

  consent.onChange(show);
  addEventListener('online', consent.send);
  addEventListener('storage', consent.reload);
  // A page to which somebody goes back may be as they left it, and hears nothing in between.
  addEventListener('pageshow', consent.reload);
}

/** Reading it fails where it is blocked. */
function storageOfPage(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}
