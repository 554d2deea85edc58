import type { Consent } from '../core/index.ts';
import { afterPaint } from './after-paint.ts';
import type { scriptReleaser } from './release-script.ts';

const GATED = 'script[type="text/plain"][data-purpose],[data-purpose][data-src]';

/**
 * Runs what waits for consent, in the order of the page, each once: scripts that are `type="text/plain"`, and frames, images
 * and others that have `data-src`. `data-purpose` names one purpose or more, of which all must be allowed.
 */
export function createGate(
  consent: Pick<Consent, 'allowed' | 'said'>,
  releaseScript: ReturnType<typeof scriptReleaser>,
) {
  /** What was run, by purpose: it cannot be taken back on this page. */
  const ran = new Set<string>();
  const released = new WeakSet<Element>();
  let last: Promise<void> = Promise.resolve();
  let queued: Promise<void> | undefined;

  /** Runs what is allowed by now, after what was changed before is on the screen. Ends when all of it was started. */
  function run(): Promise<void> {
    queued ??= last.then(afterPaint).then(() => {
      queued = undefined;
      return runAll();
    });
    last = queued;
    return last;
  }

  async function runAll(): Promise<void> {
    // What a change allows meanwhile is for the run that the change asked for, which is after its painting.
    for (let next = first(); next && !queued; next = first())
      await release(next).catch((error) => console.warn('habeas:', error));
  }

  function first(): HTMLElement | undefined {
    return [...document.querySelectorAll<HTMLElement>(GATED)].find(
      (element) => !released.has(element) && isWhole(element) && isAllowed(element),
    );
  }

  function isAllowed(element: HTMLElement): boolean {
    const codes = purposesOf(element);
    return !!codes[0] && codes.every(consent.allowed);
  }

  async function release(element: HTMLElement): Promise<void> {
    // A page may give an image or a frame another `data-src` later; what is a script runs once.
    if (element.localName === 'script') released.add(element);
    for (const code of purposesOf(element)) ran.add(code);
    const { src } = element.dataset;
    element.removeAttribute('data-src');
    if (element instanceof HTMLScriptElement) await releaseScript(element, src, released);
    else if (src) element.setAttribute('src', src);
  }

  new MutationObserver((changes) => {
    const added = changes.flatMap(({ addedNodes }) => [...addedNodes]);
    if (document.readyState === 'loading' || added.some(isGated)) void run();
  }).observe(document, { childList: true, subtree: true });
  document.addEventListener('DOMContentLoaded', run);

  return {
    run,
    /** Whether something has run on this page for a purpose that the person refuses, and can. */
    hasRunRefused: () => [...ran].some((code) => consent.said[code] === false && !consent.allowed(code)),
  };
}

function purposesOf({ dataset }: HTMLElement): readonly string[] {
  return dataset.purpose?.match(/[^\s,]+/g) ?? [];
}

function isGated(node: Node): unknown {
  return node instanceof Element && (node.matches(GATED) || node.querySelector(GATED));
}

/** A script that is still being parsed may have half its text: it has all once anything stands behind it. */
function isWhole(element: Element): boolean {
  if (document.readyState !== 'loading') return true;
  for (let node: Node | null = element; node; node = node.parentNode) if (node.nextSibling) return true;
  return false;
}
