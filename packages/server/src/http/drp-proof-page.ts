import { escapeHtml, fillWords, type Language, type ProofPageTexts } from '../notify/index.ts';
import type { ProofView } from '../partners/index.ts';

const STYLE = `
:root { color-scheme: light dark; }
body { font: 18px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; padding: 0 1rem; }
label { display: block; font-weight: 600; margin-bottom: .3rem; }
input, button { font: inherit; padding: .6rem 1rem; border-radius: .4rem; min-height: 2.8rem; box-sizing: border-box; }
input { border: 1px solid GrayText; }
#code { width: 11rem; letter-spacing: .15em; }
button { background: #1d4f91; color: #fff; border: 1px solid #1d4f91; cursor: pointer; }
button.second { background: none; color: inherit; border-color: GrayText; }
:focus-visible { outline: 3px solid #e8a33d; outline-offset: 2px; }
[role=alert] { font-weight: 600; border-left: .3rem solid #b3261e; padding-left: .8rem; }
`;

export interface ProofPage {
  /** Allows the page's one style. It has no script. */
  readonly nonce: string;
  readonly language: Language;
  readonly texts: ProofPageTexts;
  /** Undefined: there is no such request. */
  readonly view: ProofView | undefined;
  /** What the agent added to the address, to be kept by the forms. */
  readonly query: string;
}

/** Where a person proves that they want what an agent asked in their name. */
export function proofPage({ nonce, language, texts, view, query }: ProofPage): string {
  const words = texts.words[language];
  const values =
    view === undefined
      ? {}
      : {
          agent: view.agent,
          organization: texts.organization,
          right: texts.rights[language][view.right] ?? view.right,
        };
  const say = (word: keyof typeof words) => escapeHtml(fillWords(words[word], values));
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
${view === undefined ? `<p>${say('unknown')}</p>` : contentOf(view, say, query)}
</main>
</body>
</html>
`;
}

function contentOf(view: ProofView, say: (word: Word) => string, query: string): string {
  const alert =
    view.told === undefined
      ? ''
      : `<p role="${view.told === 'sent' ? 'status' : 'alert'}">${say(view.told)}</p>\n`;
  const form = (content: string) => `<form method="post" action="${escapeHtml(query)}">\n${content}\n</form>`;
  switch (view.step) {
    case 'code':
      return `<p>${say('ask')}</p>
${alert}${form(`<p><label for="code">${say('code')}</label>
<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="12" required> <button name="act" value="prove">${say('confirm')}</button></p>`)}
${form(`<p><button class="second" name="act" value="send-code">${say('again')}</button></p>`)}`;
    case 'questions': {
      const inputs = view.questions.map(({ key, text }, index) => {
        const id = `q${index}`;
        return `<p><label for="${id}">${escapeHtml(text)}</label><input id="${id}" name="answer.${escapeHtml(key)}" maxlength="1000" required></p>`;
      });
      return `${alert}${form(`${inputs.join('\n')}\n<p><button name="act" value="answer">${say('confirm')}</button></p>`)}`;
    }
    case 'check':
    case 'done':
    case 'over': {
      const back =
        view.returnTo === undefined
          ? ''
          : `\n<p><a href="${escapeHtml(view.returnTo)}">${say('back')}</a></p>`;
      return `<p role="status">${say(view.step)}</p>${back}`;
    }
    default:
      return view.step satisfies never;
  }
}

type Word = keyof ProofPageTexts['words'][Language];
