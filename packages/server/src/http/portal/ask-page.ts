import type { api } from '@habeas/contract';
import { escapeHtml } from '../../notify/index.ts';
import { form, type Say } from './layout.ts';
import type { Portal } from './portal.ts';

/** What people can have corrected; the word of each is `what_…`. */
export const CORRECTIONS = {
  name: 'user.name',
  email: 'user.contact.email',
  phone: 'user.contact.phone_number',
  address: 'user.contact.address',
  birth: 'user.demographic.date_of_birth',
} as const;

/** What somebody typed already; it comes back with what was wrong. */
export interface Typed {
  readonly right?: string | undefined;
  readonly email?: string | undefined;
  readonly purposes: readonly string[];
  readonly what?: string | undefined;
  readonly before?: string | undefined;
  readonly after?: string | undefined;
}

export const NOTHING_TYPED: Typed = { purposes: [] };

/** Where a person says what they want, and who they are. */
export function askPage(portal: Portal, say: Say, typed: Typed = NOTHING_TYPED): string {
  const rights = portal.rights.filter(
    (right) => right !== 'objection' || portal.purposes(say.language).length > 0,
  );
  const choices = rights.map((right) => {
    const words = escapeHtml(portal.texts.rights[say.language][right] ?? right);
    const checked = typed.right === right ? ' checked' : '';
    return `<label class="choice"><input type="radio" name="right" value="${right}" required${checked}> <span>${words}</span></label>
${moreOf(right, portal, say, typed)}`;
  });
  return `<p>${say('intro')}</p>
${form(
  `<fieldset><legend>${say('want')}</legend>
${choices.join('\n')}
</fieldset>
<p><label class="field" for="email">${say('email')}</label>
<input type="email" id="email" name="email" autocomplete="email" maxlength="254" required aria-describedby="email-hint" value="${escapeHtml(typed.email ?? '')}"></p>
<p class="hint" id="email-hint">${say('email_hint')}</p>
<p><button>${say('send')}</button></p>`,
  'ask',
)}
${resumeForm(say)}
${portal.choices ? `<h2>${say('choices')}</h2>\n<p>${say('choices_intro')} <a href="/privacy/choices">${say('choices')}</a></p>` : ''}`;
}

/** For the link of a mail; a script fills it in where the address has the link's secret part. */
export function resumeForm(say: Say): string {
  return `<h2>${say('resume')}</h2>
<form method="post" action="/privacy/resume" id="resume">
<p><label class="field" for="link">${say('resume_ask')}</label>
<input type="text" id="link" name="link" maxlength="500" autocomplete="off" required></p>
<p><button class="second">${say('resume_go')}</button></p>
</form>`;
}

function moreOf(right: api.Right, portal: Portal, say: Say, typed: Typed): string {
  switch (right) {
    case 'objection': {
      const boxes = portal
        .purposes(say.language)
        .map(
          ({ code, name }) =>
            `<label class="choice"><input type="checkbox" name="purpose" value="${escapeHtml(code)}"${typed.purposes.includes(code) ? ' checked' : ''}> <span>${escapeHtml(name)}</span></label>`,
        );
      return `<fieldset class="more"><legend>${say('purposes')}</legend>\n${boxes.join('\n')}</fieldset>`;
    }
    case 'rectification': {
      const options = Object.keys(CORRECTIONS).map(
        (what) =>
          `<option value="${what}"${typed.what === what ? ' selected' : ''}>${say(`what_${what as keyof typeof CORRECTIONS}`)}</option>`,
      );
      return `<fieldset class="more"><legend>${say('what')}</legend>
<p><select name="what" aria-label="${say('what')}">${options.join('')}</select></p>
<p><label class="field" for="before">${say('before')}</label><input type="text" id="before" name="before" maxlength="500" value="${escapeHtml(typed.before ?? '')}"></p>
<p><label class="field" for="after">${say('after')}</label><input type="text" id="after" name="after" maxlength="500" value="${escapeHtml(typed.after ?? '')}"></p>
</fieldset>`;
    }
    default:
      return '';
  }
}

/** What the form sent, as the API takes it; what is wrong with it the API's own schema says. */
export function askOf(typed: Typed, language: api.Language): unknown {
  const { right, email, what, before, after } = typed;
  return {
    right,
    identities: [{ type: 'email', value: email?.trim() ?? '' }],
    language,
    ...(right === 'objection' && { purposes: typed.purposes }),
    ...(right === 'rectification' && {
      changes: [
        {
          target: Object.hasOwn(CORRECTIONS, what ?? '') ? CORRECTIONS[what as keyof typeof CORRECTIONS] : '',
          to: after === '' ? undefined : after,
          ...(before !== undefined && before !== '' && { from: before }),
        },
      ],
    }),
  };
}
