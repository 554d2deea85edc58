import { type Choices, type Consent, canRefuse, type Notice, type NoticePurpose } from '../core/index.ts';
import { button, element } from './element.ts';
import { policyLink, type Text, textsOf } from './texts.ts';

/** The preference centre: a switch for each purpose. It opens with what holds now; closing it says nothing. */
export function createPreferences(consent: Consent) {
  const dialog = element('dialog', { 'aria-labelledby': 'preferences-title' });
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });

  function open(notice: Notice): void {
    const text = textsOf(notice);
    const switches = new Map<string, HTMLInputElement>();
    const say = (act: () => Promise<void>) => () => {
      dialog.close();
      void act();
    };
    const save = () => consent.choose(chosen(notice, switches), 'preferences');
    const title = element(
      'h2',
      { id: 'preferences-title', tabindex: '-1' },
      text('settings_title', 'settings'),
    );
    const close = button('×', 'close', () => dialog.close());
    close.setAttribute('aria-label', text('close'));
    dialog.replaceChildren(
      element(
        'header',
        {},
        element(
          'div',
          {},
          title,
          element('p', {}, text('settings_text', 'text'), ...policyLink(text)),
          consent.gpc && text('gpc') !== '' && element('p', {}, text('gpc')),
        ),
        close,
      ),
      element(
        'ul',
        { role: 'list' },
        ...notice.purposes.map((purpose) => element('li', {}, row(purpose, text, switches))),
      ),
      element(
        'footer',
        { class: 'actions' },
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

  /** What is on by default and was left so is no choice: nobody has said yes to a box that was ticked for them. */
  function chosen(notice: Notice, switches: ReadonlyMap<string, HTMLInputElement>): Choices {
    const all = [...switches].map(([code, { checked }]) => [code, checked] as const);
    const isOn = (code: string) =>
      notice.purposes.some((purpose) => purpose.code === code && purpose.allowed_by_default);
    const made = all.filter(([code, checked]) => !checked || code in consent.said || !isOn(code));
    return Object.fromEntries(made.length > 0 ? made : all);
  }

  function row(purpose: NoticePurpose, text: Text, switches: Map<string, HTMLInputElement>): HTMLElement {
    const { code } = purpose;
    const words = element(
      'span',
      {},
      element('span', { class: 'name', id: `name-${code}` }, purpose.name),
      element('span', { class: 'about', id: `about-${code}` }, purpose.description ?? ''),
    );
    if (!canRefuse(purpose))
      return element('div', { class: 'row' }, words, element('span', { class: 'always' }, text('always')));
    const box = element('input', {
      type: 'checkbox',
      role: 'switch',
      'aria-labelledby': `name-${code}`,
      'aria-describedby': `about-${code}`,
    });
    // Where consent is needed, this is never so before somebody said yes.
    box.checked = consent.allowed(code);
    switches.set(code, box);
    return element('label', {}, words, box);
  }

  return { dialog, open };
}
