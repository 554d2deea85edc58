import type { Consent, Notice } from '../core/index.ts';
import { button, element } from './element.ts';
import { createPreferences } from './preferences.ts';
import { STYLE } from './style.ts';
import { missingTexts, policyLink, textsOf } from './texts.ts';

export interface ExperienceOptions {
  /** Allows the style where a browser has no constructed style sheets. */
  readonly nonce: string;
  /** `light` or `dark`. (Default: as the device) */
  readonly theme: string | undefined;
  /** Whether a small button opens the preference centre where the page has nothing with `data-consent-open`. */
  readonly hasButton: boolean;
}

export interface Experience {
  /** Shows what is to be shown now. */
  render(): void;
  /** Opens the preference centre. */
  open(): void;
}

/** Around banner and button. */
const MARGIN_PIXELS = 16;

const RIGHT_TO_LEFT = /^(ar|ckb|dv|fa|he|ps|sd|ug|ur|yi)\b/;

/** Banner, preference centre and the button that opens it, apart from the page's own styles and scripts in a shadow tree. */
export function createExperience(consent: Consent, options: ExperienceOptions): Experience {
  const host = document.createElement('habeas-consent');
  if (options.theme) host.dataset.theme = options.theme;
  const root = host.attachShadow({ mode: 'open' });
  addStyle(root, options.nonce);
  const preferences = createPreferences(consent, saySaved);
  const status = element('p', { role: 'status', class: 'status' });
  root.append(preferences.dialog, status);
  const sizes = new ResizeObserver(keepClear);
  /** The notice as text: one that is read from storage and one that the server tells are often the same. */
  let shown: string | undefined;
  let banner: HTMLElement | undefined;
  let link: HTMLElement | undefined;

  const stops = () => [...root.querySelectorAll<HTMLElement>('.banner button,.link')];

  function build(notice: Notice): void {
    const place = stops().indexOf(root.activeElement as HTMLElement);
    host.lang = notice.language;
    host.dir = RIGHT_TO_LEFT.test(notice.language) ? 'rtl' : 'ltr';
    banner?.remove();
    link?.remove();
    banner = bannerOf(notice);
    link = button(textsOf(notice)('link', 'settings'), 'link', open);
    // The dialog stays where it is: taken out, it would be open and no longer modal.
    root.prepend(banner, link);
    // Who was on a button is on the same one in other words.
    stops()[place]?.focus();
    if (preferences.dialog.open) preferences.open(notice);
    sizes.disconnect();
    sizes.observe(banner);
    sizes.observe(link);
  }

  function bannerOf(notice: Notice): HTMLElement {
    const text = textsOf(notice);
    const answer = (granted: boolean) => () => void consent.chooseAll(granted, 'banner').then(saySaved);
    return element(
      'section',
      { class: 'banner', 'aria-labelledby': 'banner-title' },
      element(
        'div',
        {},
        element('h2', { id: 'banner-title' }, text('title')),
        element('p', {}, text('text'), ...policyLink(text)),
      ),
      element(
        'div',
        { class: 'actions' },
        button(text('refuse'), '', answer(false)),
        button(text('accept'), '', answer(true)),
        button(text('settings'), 'more', open),
      ),
    );
  }

  function putIn(): void {
    const { dialog } = preferences;
    const wasOpen = dialog.open;
    // What was taken out with its page would be open and no longer modal.
    dialog.close();
    document.body.prepend(host);
    if (wasOpen) dialog.showModal();
  }

  /** Whether there is something to open. */
  function open(): boolean {
    const { notice } = consent;
    if (!notice || !canShow(notice)) return false;
    render();
    if (!host.isConnected) return false;
    status.replaceChildren();
    preferences.open(notice);
    return true;
  }

  function saySaved(): void {
    const { notice } = consent;
    if (notice) status.replaceChildren(textsOf(notice)('saved'));
  }

  /** What has the focus must not lie behind banner or button (WCAG 2.4.11), and neither the end of the page. */
  function keepClear(): void {
    const height = banner?.offsetHeight || link?.offsetHeight;
    const { style } = document.documentElement;
    style.scrollPaddingBlockEnd = style.paddingBlockEnd = height ? `${height + 2 * MARGIN_PIXELS}px` : '';
  }

  const offersLink = () =>
    !consent.mustAsk &&
    options.hasButton &&
    consent.notice?.jurisdiction.show !== 'nothing' &&
    document.querySelector('[data-consent-open]') === null;

  function render(): void {
    const { notice } = consent;
    if (!notice || !canShow(notice)) return;
    if (!document.body) {
      document.addEventListener('DOMContentLoaded', render, { once: true });
      return;
    }
    const text = JSON.stringify(notice);
    if (text !== shown) build(notice);
    shown = text;
    if (!host.isConnected) putIn();
    const hadFocus = banner?.contains(root.activeElement);
    if (banner) banner.hidden = !consent.mustAsk;
    if (link) link.hidden = !offersLink();
    if (banner?.hidden && hadFocus) link?.focus();
  }

  document.addEventListener('click', (event) => {
    const target = event.target instanceof Element ? event.target.closest('[data-consent-open]') : null;
    // Where there is nothing to open, a link leads where it says.
    if (target && open()) event.preventDefault();
  });
  // Pages that draw themselves anew take it out, and bring or lose what opens it. Who takes out nothing else means it.
  new MutationObserver((changes) => {
    const removed = changes.flatMap(({ removedNodes }) => [...removedNodes]);
    const isMisplaced = host.isConnected
      ? link?.hidden === offersLink()
      : removed.some((node) => node !== host);
    if (shown !== undefined && isMisplaced) requestAnimationFrame(render);
  }).observe(document, { childList: true, subtree: true });

  return { render, open };
}

/** Style sheets that are made by a script need no permission of a content security policy; older browsers take the nonce. */
function addStyle(root: ShadowRoot, nonce: string): void {
  if ('adoptedStyleSheets' in root) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    return;
  }
  (root as ShadowRoot).append(element('style', { nonce }, STYLE));
}

/** Nothing is asked in words that are not there. */
function canShow(notice: Notice): boolean {
  const missing = missingTexts(notice);
  if (missing.length > 0)
    console.error(`habeas: the notice lacks the texts ${missing.join(', ')} in ${notice.language}.`);
  return missing.length === 0;
}
