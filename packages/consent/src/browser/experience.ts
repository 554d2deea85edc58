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

/** Around the banner. */
const MARGIN_PIXELS = 16;

const RIGHT_TO_LEFT = /^(ar|ckb|dv|fa|he|ps|sd|ug|ur|yi)\b/;

/** Banner, preference centre and the button that opens it, apart from the page's own styles and scripts in a shadow tree. */
export function createExperience(consent: Consent, options: ExperienceOptions): Experience {
  const host = document.createElement('habeas-consent');
  if (options.theme) host.dataset.theme = options.theme;
  const root = host.attachShadow({ mode: 'open' });
  addStyle(root, options.nonce);
  const preferences = createPreferences(consent);
  const status = element('p', { role: 'status', class: 'status' });
  let shown: Notice | undefined;
  let banner: HTMLElement | undefined;
  let link: HTMLElement | undefined;

  function build(notice: Notice): void {
    shown = notice;
    host.lang = notice.language;
    host.dir = RIGHT_TO_LEFT.test(notice.language) ? 'rtl' : 'ltr';
    banner = bannerOf(notice);
    link = button(textsOf(notice)('link', 'settings'), 'link', open);
    root.replaceChildren(banner, link, preferences.dialog, status);
  }

  function bannerOf(notice: Notice): HTMLElement {
    const text = textsOf(notice);
    const answer = (granted: boolean) => () => void consent.chooseAll(granted, 'banner');
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

  function open(): void {
    const { notice } = consent;
    if (notice && canShow(notice)) {
      render();
      preferences.open(notice);
    }
  }

  function render(): void {
    const { notice } = consent;
    if (!notice || !canShow(notice)) return;
    if (!document.body) {
      document.addEventListener('DOMContentLoaded', render, { once: true });
      return;
    }
    if (notice !== shown) build(notice);
    if (!host.isConnected) document.body.prepend(host);
    const hadFocus = banner?.contains(root.activeElement);
    const asks = consent.mustAsk;
    const answered = banner?.hidden === false && !asks;
    const offersLink =
      !asks &&
      options.hasButton &&
      notice.jurisdiction.show !== 'nothing' &&
      document.querySelector('[data-consent-open]') === null;
    if (banner) banner.hidden = !asks;
    if (link) link.hidden = !offersLink;
    // What has the focus must not lie behind the banner (WCAG 2.4.11), and neither the end of the page.
    const { style } = document.documentElement;
    style.scrollPaddingBlockEnd = style.paddingBlockEnd =
      asks && banner ? `${banner.offsetHeight + 2 * MARGIN_PIXELS}px` : '';
    if (answered) status.textContent = textsOf(notice)('saved', '');
    if (answered && hadFocus) link?.focus();
  }

  document.addEventListener('click', (event) => {
    const target = event.target instanceof Element ? event.target.closest('[data-consent-open]') : null;
    if (!target) return;
    event.preventDefault();
    open();
  });

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
