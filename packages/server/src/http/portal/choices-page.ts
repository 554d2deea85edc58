import type { api } from '@habeas/contract';
import { escapeHtml } from '../../notify/index.ts';
import { form, type Say } from './layout.ts';

/** Where somebody says whose choices they want to see. */
export function choicesAskPage(say: Say, email = ''): string {
  return `<p>${say('choices_intro')}</p>
${form(
  `<p><label class="field" for="email">${say('email')}</label>
<input type="email" id="email" name="email" autocomplete="email" maxlength="254" required aria-describedby="email-hint" value="${escapeHtml(email)}"></p>
<p class="hint" id="email-hint">${say('email_hint')}</p>
<p><button>${say('resume_go')}</button></p>`,
  'begin',
  '/choices',
)}`;
}

export function choicesCodePage(say: Say): string {
  return `<p>${say('code_ask')}</p>
${form(
  `<div class="row"><p><label class="field" for="code">${say.proof('code')}</label>
<input class="code" type="text" id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="12" required></p>
<p><button>${say.proof('confirm')}</button></p></div>`,
  'prove',
  '/choices',
)}
${form(`<p><button class="second">${say.proof('again')}</button></p>`, 'send-code', '/choices')}`;
}

/** What data may be used for: what was said is chosen, and nothing else is. */
export function choicesPage(
  say: Say,
  purposes: api.ConsentNotice['purposes'],
  said: ReadonlyMap<string, boolean | null>,
): string {
  const groups = purposes.filter(canRefuse).map(({ code, name, description }) => {
    const now = said.get(code) ?? null;
    const choice = (value: 'yes' | 'no', word: string) =>
      `<label class="choice"><input type="radio" name="choice.${escapeHtml(code)}" value="${value}"${now === (value === 'yes') ? ' checked' : ''}> <span>${word}</span></label>`;
    const more = (description ?? '') === '' ? '' : `<p class="hint">${escapeHtml(description ?? '')}</p>`;
    return `<fieldset><legend>${escapeHtml(name)}</legend>${more}
<div class="pair">${choice('yes', say('choices_allow'))}${choice('no', say('choices_refuse'))}</div></fieldset>`;
  });
  const all = (value: 'yes' | 'no', word: string) =>
    form(
      `<input type="hidden" name="all" value="${value}"><button class="second">${word}</button>`,
      'save',
      '/choices',
    );
  return `<p>${say('choices_text')}</p>
${form(`${groups.join('\n')}\n<p><button>${say('choices_save')}</button></p>`, 'save', '/choices')}
<div class="row">${all('no', say('choices_none'))}${all('yes', say('choices_all'))}</div>
${form(`<p><button class="second">${say('forget')}</button></p>`, 'end', '/choices')}`;
}

/** Purposes about which people have a choice. */
export function canRefuse({ legal_basis: basis }: Pick<api.PurposeView, 'legal_basis'>): boolean {
  return basis !== 'contract' && basis !== 'legal_obligation';
}

/** What the form says; what nobody chose stays as it was. */
export function choicesIn(
  sent: URLSearchParams,
  purposes: api.ConsentNotice['purposes'],
): Readonly<Record<string, boolean>> {
  const all = sent.get('all');
  const entries = purposes.filter(canRefuse).flatMap(({ code }) => {
    const value = all ?? sent.get(`choice.${code}`);
    return value === 'yes' || value === 'no' ? [[code, value === 'yes'] as const] : [];
  });
  return Object.fromEntries(entries);
}
