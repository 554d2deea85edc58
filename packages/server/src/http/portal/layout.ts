import {
  escapeHtml,
  fillWords,
  LANGUAGES,
  type Language,
  type PortalWords,
  type ProofPageWords,
} from '../../notify/index.ts';
import { PORTAL_PATH, type Portal } from './portal.ts';

export type Word = keyof PortalWords;
export type ProofWord = keyof ProofPageWords;

/** Words of one language, ready to stand in a page. */
export interface Say {
  (word: Word, values?: Readonly<Record<string, string>>): string;
  /** Those that are shared with the page that agents send people to. */
  proof(word: ProofWord): string;
  readonly language: Language;
}

export function sayIn({ texts }: Pick<Portal, 'texts'>, language: Language): Say {
  const { organization } = texts;
  const say = (word: Word, values = {}) =>
    escapeHtml(fillWords(texts.words[language][word], { organization, ...values }));
  return Object.assign(say, {
    proof: (word: ProofWord) => escapeHtml(fillWords(texts.proof[language][word], { organization })),
    language,
  });
}

/** A form of this page; what it sends is answered by the page that comes next. */
export function form(content: string, act: string, path = ''): string {
  return `<form method="post" action="${PORTAL_PATH}${path}">
<input type="hidden" name="act" value="${act}">
${content}
</form>`;
}

export interface Shell {
  readonly portal: Portal;
  readonly say: Say;
  /** Allows the page's one style and its one script. */
  readonly nonce: string;
  readonly title: Word;
  /** What went wrong, or what was done. */
  readonly told?: { readonly words: string; readonly isAlert: boolean } | undefined;
  readonly content: string;
}

/** Takes the secret part of a link from a mail to the server in the body of a call, and out of the address. */
const SCRIPT = `
const token = location.hash.slice(1);
const form = document.getElementById('resume');
if (/^[\\w-]{43}$/.test(token) && form) {
  history.replaceState(null, '', location.pathname + location.search);
  form.elements.link.value = token;
  form.requestSubmit();
}`;

/** A page for people: without a script, and in whatever direction the language is written. */
export function shell({ portal, say, nonce, title, told, content }: Shell): string {
  const { language } = say;
  const name = escapeHtml(portal.texts.organization);
  const head =
    portal.logo === undefined
      ? `<span class="name">${name}</span>`
      : `<img src="${PORTAL_PATH}/logo" alt="${name}" height="40">`;
  const notice =
    portal.notice === undefined
      ? ''
      : `<p><a href="${escapeHtml(portal.notice)}" rel="noreferrer">${say('notice')}</a></p>`;
  const languages = LANGUAGES.map((one) => {
    const label = escapeHtml(new Intl.DisplayNames([one], { type: 'language' }).of(one) ?? one);
    return one === language
      ? `<li><span lang="${one}" aria-current="true">${label}</span></li>`
      : `<li><a href="?lang=${one}" lang="${one}" hreflang="${one}">${label}</a></li>`;
  });
  const alert =
    told === undefined
      ? ''
      : `<p class="${told.isAlert ? 'alert' : 'done'}" role="${told.isAlert ? 'alert' : 'status'}">${told.words}</p>`;
  return `<!doctype html>
<html lang="${language}" dir="${directionOf(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>${say(title)} – ${name}</title>
<style nonce="${nonce}">${styleOf(portal.color)}</style>
</head>
<body>
<header>${head}</header>
<main>
<h1>${say(title)}</h1>
${alert}
${content}
</main>
<footer>
${notice}
<nav aria-label="${say('language')}"><ul>${languages.join('')}</ul></nav>
</footer>
<script nonce="${nonce}">${SCRIPT}</script>
</body>
</html>
`;
}

/** Languages that are written from right to left (CLDR). */
const RIGHT_TO_LEFT: ReadonlySet<string> = new Set([
  'ar',
  'dv',
  'fa',
  'he',
  'ku',
  'ps',
  'sd',
  'ug',
  'ur',
  'yi',
]);

export function directionOf(language: string): 'ltr' | 'rtl' {
  return RIGHT_TO_LEFT.has(language) ? 'rtl' : 'ltr';
}

/** Logical properties alone, so that it is right in both directions. */
function styleOf(color: string): string {
  return `
:root { color-scheme: light dark; --mark: ${color}; --line: #767676; --soft: #f3f4f6; }
@media (prefers-color-scheme: dark) { :root { --line: #9a9a9a; --soft: #24272c; } }
* { box-sizing: border-box; }
body { font: 18px/1.55 system-ui, sans-serif; max-width: 38rem; margin-block: 0; margin-inline: auto; padding: 1.5rem 1rem 3rem; }
header { padding-block-end: 1rem; border-block-end: 1px solid var(--line); }
header img { display: block; }
@media (prefers-color-scheme: dark) { header img { background: #fff; padding: .4rem .6rem; border-radius: .4rem; } }
.name { font-weight: 700; font-size: 1.2rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin-block: 1.5rem .75rem; }
h2 { font-size: 1.15rem; margin-block: 2rem .5rem; }
fieldset { border: 0; margin: 0 0 1.5rem; padding: 0; }
legend, label.field { display: block; font-weight: 600; margin-block-end: .4rem; padding: 0; }
.choice { display: flex; gap: .7rem; align-items: start; padding: .65rem .8rem; border: 1px solid var(--line); border-radius: .5rem; margin-block-end: .5rem; cursor: pointer; }
.choice:has(:checked) { border-color: CanvasText; background: var(--soft); }
.choice input { width: 1.25rem; height: 1.25rem; margin-block-start: .2rem; flex: none; accent-color: var(--mark); }
.more { display: none; margin-block: .2rem 1rem; margin-inline-start: 2.7rem; }
.choice:has(:checked) + .more { display: block; }
@supports not selector(:has(*)) { .more { display: block; } }
input[type=text], input[type=email], select { font: inherit; width: 100%; max-width: 26rem; padding: .6rem .8rem; min-height: 2.9rem; border: 1px solid var(--line); border-radius: .4rem; background: Field; color: FieldText; }
input.code { width: 12rem; letter-spacing: .15em; }
.hint { margin-block: .3rem .6rem; font-size: .92rem; opacity: .85; }
button, a.button { font: inherit; font-weight: 600; padding: .6rem 1.2rem; min-height: 2.9rem; border-radius: .4rem; background: var(--mark); color: #fff; border: 1px solid var(--mark); cursor: pointer; text-decoration: none; display: inline-block; }
button.second, a.second { background: none; color: inherit; border-color: var(--line); font-weight: 400; }
:focus-visible { outline: 3px solid #e8a33d; outline-offset: 2px; }
a { color: inherit; }
.row { display: flex; flex-wrap: wrap; gap: .7rem; align-items: end; }
.alert, .done { padding: .7rem .9rem; border-inline-start: .3rem solid #b3261e; background: var(--soft); font-weight: 600; }
.done { border-color: var(--mark); }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: 0 .7rem; }
.status { font-size: 1.1rem; }
footer { margin-block-start: 3rem; padding-block-start: 1rem; border-block-start: 1px solid var(--line); font-size: .92rem; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; padding: 0; margin: 0; }
nav a, nav span { display: inline-block; padding-block: .3rem; }
nav [aria-current] { font-weight: 700; }
`;
}
