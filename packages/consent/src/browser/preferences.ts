import { type Choices, type Consent, canRefuse, type Notice, type NoticePurpose } from '../core/index.ts';
import { button, element } from './element.ts';
import { policyLink, type Text, textsOf } from './texts.ts';

/** A switch that says yes, or, of a purpose that is allowed until somebody objects, one that objects: none is on that nobody touched. */
interface Switch {
  readonly box: HTMLInputElement;
  readonly objects: boolean;
}

/**
 * The preference centre: a switch for each purpose. It opens with what holds now; closing it says nothing. `onSaved` is called after a
 * choice was kept.
 */
export function createPreferences(consent: Consent, onSaved: () => void) {
  const dialog = element('dialog', { 'aria-labelledby': 'preferences-title' });
  let pressed: EventTarget | null = null;
  dialog.addEventListener('pointerdown', ({ target }) => {
    pressed = target;
  });
  // Who marks text and lets go beside the dialog did not mean to close it.
  dialog.addEventListener('click', ({ target }) => {
    if (target === dialog && pressed === dialog) dialog.close();
  });

  function open(notice: Notice): void {
    const text = textsOf(notice);
    const switches = new Map<string, Switch>();
    const say = (act: () => Promise<void>) => () => {
      dialog.close();
      void act().then(onSaved);
    };
    const save = () => consent.choose(chosen(notice, switches), 'preferences');
    const title = element(
      'h2',
      { id: 'preferences-title', tabindex: '-1' },
      text('settings_title', 'settings'),
    );
    const close = button('×', 'close', () => dialog.close());
    close.setAttribute('aria-label', text('close'));
    // A `header` or `footer` would be one of the page.
    dialog.replaceChildren(
      element(
        'div',
        { class: 'top' },
        element(
          'div',
          {},
          title,
          element('p', {}, text('settings_text', 'text'), ...policyLink(text)),
          isHeeded(notice) && text('gpc') !== '' && element('p', {}, text('gpc')),
        ),
        close,
      ),
      element(
        'ul',
        { role: 'list' },
        ...notice.purposes.map((purpose) => element('li', {}, row(purpose, text, switches))),
      ),
      element(
        'div',
        { class: 'actions end' },
        button(
          text('refuse'),
          '',
          say(() => consent.chooseAll(false, 'preferences')),
        ),
        button(
          text('accept'),
          '',
          say(() => consent.chooseAll(true, 'preferences')),
        ),
        button(text('save'), 'more', say(save)),
      ),
    );
    if (!dialog.open) dialog.showModal();
    title.focus();
  }

  /** Whether Global Privacy Control holds: somebody may have allowed later what it refused. */
  function isHeeded({ purposes }: Notice): boolean {
    return consent.gpc && !purposes.some(({ code, gpc }) => gpc && consent.allowed(code));
  }

  /** What is allowed by default and was left so is no choice: nobody has said yes to what they did not touch. */
  function chosen(notice: Notice, switches: ReadonlyMap<string, Switch>): Choices {
    const all = [...switches].map(([code, { box, objects }]) => [code, box.checked !== objects] as const);
    const isOn = (code: string) =>
      notice.purposes.some((purpose) => purpose.code === code && purpose.allowed_by_default);
    return Object.fromEntries(
      all.filter(([code, granted]) => !granted || code in consent.said || !isOn(code)),
    );
  }

  function row(purpose: NoticePurpose, text: Text, switches: Map<string, Switch>): HTMLElement {
    const { code } = purpose;
    const words = element(
      'span',
      {},
      element('span', { class: 'name', id: `name-${code}` }, purpose.name),
      element('span', { class: 'about', id: `about-${code}` }, purpose.description ?? ''),
    );
    if (!canRefuse(purpose))
      return element('div', { class: 'row' }, words, element('span', { class: 'always' }, text('always')));
    const object = purpose.allowed_by_default ? text('object') : '';
    const box = element('input', {
      type: 'checkbox',
      role: 'switch',
      'aria-labelledby': `name-${code} object-${code}`,
      'aria-describedby': `about-${code}`,
    });
    const objects = object !== '';
    box.checked = consent.allowed(code) !== objects;
    switches.set(code, { box, objects });
    const word = objects && element('span', { class: 'always', id: `object-${code}` }, object);
    return element('label', {}, words, word, box);
  }

  return { dialog, open };
}
