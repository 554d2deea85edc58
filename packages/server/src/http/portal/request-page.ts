import type { api } from '@habeas/contract';
import { escapeHtml } from '../../notify/index.ts';
import { form, type Say, type Word } from './layout.ts';
import { PORTAL_PATH, type Portal } from './portal.ts';

/** Where a person proves who they are, follows what becomes of their request, and fetches the result. */
export function requestPage(portal: Portal, say: Say, asked: api.AskedView): string {
  const words = portal.texts.rights[say.language][asked.right] ?? asked.right;
  const parts = [
    `<p class="status"><strong>${escapeHtml(words)}</strong></p>`,
    asked.state === 'verifying'
      ? proofOf(portal, say, asked)
      : `<p role="status">${say(stateWord(asked))}</p>`,
    factsOf(say, asked),
    hasResult(asked) ? downloadForm(say) : '',
    canWithdraw(asked)
      ? `<p><a class="button second" href="${PORTAL_PATH}/request?withdraw">${say('withdraw')}</a></p>`
      : '',
    `<div class="row">${form(`<button class="second">${say('forget')}</button>`, 'forget', '/request')}<a class="button second" href="${PORTAL_PATH}?another">${say('another')}</a></div>`,
  ];
  return parts.filter((part) => part !== '').join('\n');
}

/** Asks once more before a request is withdrawn. */
export function withdrawPage(say: Say): string {
  return `<p>${say('withdraw_ask')}</p>
<div class="row">${form(`<button>${say('withdraw')}</button>`, 'withdraw', '/request')}<a class="button second" href="${PORTAL_PATH}/request">${say('keep')}</a></div>`;
}

function stateWord({ state, merged_into: merged }: api.AskedView): Word {
  if (merged !== null) return 'merged';
  switch (state) {
    case 'received':
    case 'verifying':
      return 'received';
    case 'completed':
    case 'rejected':
    case 'cancelled':
    case 'expired':
      return state;
    default:
      return 'working';
  }
}

const OVER: readonly api.RequestState[] = ['completed', 'rejected', 'cancelled', 'expired'];

export function canWithdraw({ state }: api.AskedView): boolean {
  return state !== 'verifying' && !OVER.includes(state);
}

export function hasResult({ state, right }: api.AskedView): boolean {
  return state === 'completed' && (right === 'access' || right === 'portability');
}

function proofOf(portal: Portal, say: Say, asked: api.AskedView): string {
  const waiting = asked.contacts.filter(({ proved, role }) => !proved && role === 'subject');
  if (asked.missing.includes('codes') && waiting.length > 0) {
    const forms = waiting.map(({ id }, index) =>
      codeForms(say, id, waiting.length > 1 ? ` ${index + 1}` : ''),
    );
    const signIn =
      portal.signIn !== undefined
        ? form(`<p><button class="second">${say('sign_in')}</button></p>`, 'sign-in', '/request')
        : '';
    return `<p>${say('code_ask')}</p>\n${forms.join('\n')}\n${signIn}`;
  }
  if (asked.questions.length > 0) {
    const fields = asked.questions.map(
      ({ key, text }, index) =>
        `<p><label class="field" for="q${index}">${escapeHtml(text)}</label><input type="text" id="q${index}" name="answer.${escapeHtml(key)}" maxlength="1000" required></p>`,
    );
    return `<p>${say('questions')}</p>\n${form(`${fields.join('\n')}\n<p><button>${say.proof('confirm')}</button></p>`, 'answer', '/request')}`;
  }
  return `<p role="status">${say('check')}</p>`;
}

function codeForms(say: Say, contact: string, number: string): string {
  const hidden = `<input type="hidden" name="contact" value="${contact}">`;
  return `${form(
    `${hidden}<div class="row"><p><label class="field" for="code-${contact}">${say.proof('code')}${number}</label>
<input class="code" type="text" id="code-${contact}" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="12" required></p>
<p><button>${say.proof('confirm')}</button></p></div>`,
    'prove',
    '/request',
  )}
${form(`${hidden}<p><button class="second">${say.proof('again')}</button></p>`, 'send-code', '/request')}`;
}

function factsOf(
  say: Say,
  { request_id: id, received_at: received, due_at: due, state }: api.AskedView,
): string {
  const lines = [
    say('asked', { date: dateIn(say.language, received) }),
    ...(OVER.includes(state) ? [] : [say('due', { date: dateIn(say.language, due) })]),
    say('reference', { request: id }),
  ];
  return `<ul>${lines.map((line) => `<li>${line}</li>`).join('')}</ul>`;
}

function dateIn(language: string, time: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(time));
}

function downloadForm(say: Say): string {
  return `<h2>${say('download')}</h2>
<p>${say('download_ask')}</p>
${form(`<p><button>${say('download')}</button></p>`, 'download', '/request')}`;
}
