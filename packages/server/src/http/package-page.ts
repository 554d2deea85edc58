import { escapeHtml, type Language, type PackagePageWords } from '../notify/index.ts';
import { PORTAL_PATH } from './portal/portal.ts';

/** What the page does: it never puts the token into a URL, and does nothing before its reader asks for it. */
const SCRIPT = `
const token = location.hash.slice(1);
history.replaceState(null, '', location.pathname + location.search);
const at = (id) => document.getElementById(id);
const words = JSON.parse(at('words').textContent);
const told = { NOT_FOUND: words.invalid, KEY_DESTROYED: words.invalid, CODE_INVALID: words.wrong, BAD_INPUT: words.wrong, TOO_MANY_REQUESTS: words.often };
const say = (text) => { at('alert').textContent = ''; at('told').textContent = text; };
const warn = (text) => { at('told').textContent = ''; at('alert').textContent = text; };
const post = async (path, body) => {
  let answer;
  try {
    answer = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const json = await answer.json();
    if (answer.ok) return json;
    warn(told[json.code] ?? words.failed);
  } catch { warn(words.failed); }
};
const once = (form, act) => {
  form.onsubmit = async (event) => {
    event.preventDefault();
    const button = form.querySelector('button');
    if (button.getAttribute('aria-disabled') === 'true') return;
    // Not disabled: that would take the focus away.
    button.setAttribute('aria-disabled', 'true');
    await act();
    button.removeAttribute('aria-disabled');
  };
};
if (!/^[A-Za-z0-9_-]{43}$/.test(token)) warn(words.incomplete);
else at('ask').hidden = false;
once(at('ask'), async () => {
  const sent = await post('/api/v1/package-links:code', { token, language: document.documentElement.lang });
  if (sent === undefined) return;
  say(words.sent.replace('{{minutes}}', sent.minutes));
  at('enter').hidden = false;
  // From now on the one thing to do is to enter the code.
  at('ask').querySelector('button').className = 'again';
  at('code').value = '';
  at('code').focus();
});
once(at('enter'), async () => {
  const code = at('code').value.replaceAll(/\\D/g, '');
  const opened = await post('/api/v1/package-links:open', { token, code });
  at('code').setAttribute('aria-invalid', String(opened === undefined));
  if (opened === undefined) return at('code').focus();
  at('ask').hidden = at('enter').hidden = true;
  at('download').href = '/api/v1/package-downloads/' + opened.link_id;
  at('ready').hidden = false;
  say(words.ready);
  at('download').focus();
});
`;

const STYLE = `
:root { color-scheme: light dark; }
body { font: 18px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; padding: 0 1rem; }
label { display: block; font-weight: 600; margin-bottom: .3rem; }
input, button, a.button { font: inherit; padding: .6rem 1rem; border-radius: .4rem; min-height: 2.8rem; box-sizing: border-box; }
input { width: 11rem; letter-spacing: .15em; border: 1px solid GrayText; }
button, a.button { display: inline-block; background: #1d4f91; color: #fff; border: 1px solid #1d4f91; text-decoration: none; cursor: pointer; }
:focus-visible { outline: 3px solid #e8a33d; outline-offset: 2px; }
button.again { background: none; color: inherit; border-color: currentColor; }
[aria-disabled=true] { opacity: .6; }
#alert { font-weight: 600; }
#alert:not(:empty) { border-left: .3rem solid #b3261e; padding-left: .8rem; }
`;

export interface PackagePage {
  /** Allows the page's one script and its one style. */
  readonly nonce: string;
  readonly language: Language;
  readonly words: PackagePageWords;
  /** Whether there are pages for people, on which a link can be pasted without a script. */
  readonly portal: boolean;
}

/** `/package`: where a person opens the link to their package. */
export function packagePage({ nonce, language, words, portal }: PackagePage): string {
  const say = (word: keyof PackagePageWords) => escapeHtml(words[word]);
  // A word must not be able to end its element.
  const json = JSON.stringify(words).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>${say('title')}</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<main>
<h1>${say('title')}</h1>
<noscript><p>${say('script')}</p>${portal ? `<p><a href="${PORTAL_PATH}/request">${PORTAL_PATH}</a></p>` : ''}</noscript>
<p id="told" role="status"></p>
<p id="alert" role="alert"></p>
<form id="ask" hidden>
<p>${say('ask')}</p>
<button>${say('send')}</button>
</form>
<form id="enter" hidden>
<p><label for="code">${say('code')}</label>
<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="12" required aria-describedby="told alert"> <button>${say('open')}</button></p>
</form>
<div id="ready" hidden>
<p><a id="download" class="button" download>${say('download')}</a></p>
<p>${say('zip')}</p>
</div>
</main>
<script type="application/json" id="words">${json}</script>
<script nonce="${nonce}">${SCRIPT}</script>
</body>
</html>
`;
}
