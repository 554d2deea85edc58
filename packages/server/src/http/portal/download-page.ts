import { escapeHtml, type PackagePageWords } from '../../notify/index.ts';
import { form, type Say } from './layout.ts';

/** Where a person who opened their link, or asked for their result, enters a fresh code. */
export function codePage(say: Say, words: PackagePageWords): string {
  const code = escapeHtml(words.code);
  return `${form(
    `<div class="row"><p><label class="field" for="code">${code}</label>
<input class="code" type="text" id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="12" required></p>
<p><button>${escapeHtml(words.open)}</button></p></div>`,
    'open',
    '/download',
  )}
${form(`<p><button class="second">${say.proof('again')}</button></p>`, 'send-code', '/download')}`;
}

/** Where the link of a mail was opened: nothing is sent before its reader asks for it. */
export function askCodePage(words: PackagePageWords): string {
  return `<p>${escapeHtml(words.ask)}</p>
${form(`<p><button>${escapeHtml(words.send)}</button></p>`, 'send-code', '/download')}`;
}

/** Where the download begins. */
export function readyPage(words: PackagePageWords, linkId: string): string {
  return `<p role="status">${escapeHtml(words.ready)}</p>
<p><a class="button" href="/api/v1/package-downloads/${escapeHtml(linkId)}" download>${escapeHtml(words.download)}</a></p>
<p>${escapeHtml(words.zip)}</p>`;
}
