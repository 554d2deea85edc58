import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HabeasError } from '../../foundation/index.ts';
import { LANGUAGES, type Language } from './languages.ts';
import { COMMON_PLACEHOLDERS, MAIL_PLACEHOLDERS, TEMPLATE_KINDS, type TemplateKind } from './mail-kind.ts';
import { placeholdersOf, splitSubject, type Template } from './template.ts';

/** All that mails to people are made of. */
export interface Templates {
  readonly layout: string;
  readonly mails: Readonly<Record<Language, Readonly<Record<TemplateKind, Template>>>>;
  /** Right → its words. */
  readonly rights: Readonly<Record<Language, Readonly<Record<string, string>>>>;
  /** Reason of a delay (W3C Data Privacy Vocabulary) → its words. */
  readonly delays: Readonly<Record<Language, Readonly<Record<string, string>>>>;
  /** What the page says on which people open the link to their package. */
  readonly packagePage: Readonly<Record<Language, PackagePageWords>>;
  /** What the page says on which people prove that they want what somebody asked in their name. */
  readonly proofPage: Readonly<Record<Language, ProofPageWords>>;
  /** What the pages say on which people ask by themselves. */
  readonly portal: Readonly<Record<Language, PortalWords>>;
}

const PACKAGE_PAGE_WORDS = [
  'title',
  'ask',
  'send',
  'sent',
  'code',
  'open',
  'ready',
  'download',
  'zip',
  'incomplete',
  'invalid',
  'wrong',
  'often',
  'failed',
  'script',
] as const;

/** `sent` names `{{minutes}}`. */
export type PackagePageWords = Readonly<Record<(typeof PACKAGE_PAGE_WORDS)[number], string>>;

const PROOF_PAGE_WORDS = [
  'title',
  'ask',
  'code',
  'confirm',
  'again',
  'sent',
  'wrong',
  'often',
  'check',
  'done',
  'over',
  'back',
  'unknown',
] as const;

/** `ask` names `{{agent}}`, `{{organization}}` and `{{right}}`, `back` the agent. */
export type ProofPageWords = Readonly<Record<(typeof PROOF_PAGE_WORDS)[number], string>>;

const PORTAL_WORDS = [
  'title',
  'intro',
  'want',
  'email',
  'email_hint',
  'purposes',
  'marketing',
  'what',
  'what_name',
  'what_email',
  'what_phone',
  'what_address',
  'what_birth',
  'before',
  'after',
  'send',
  'code_ask',
  'questions',
  'sign_in',
  'check',
  'received',
  'working',
  'completed',
  'rejected',
  'cancelled',
  'expired',
  'merged',
  'asked',
  'due',
  'reference',
  'download',
  'download_ask',
  'withdraw',
  'withdraw_ask',
  'withdraw_late',
  'keep',
  'forget',
  'another',
  'resume',
  'resume_ask',
  'resume_go',
  'notice',
  'language',
  'mistake',
  'failed',
  'unknown',
  'status',
  'choices',
  'choices_intro',
  'choices_text',
  'choices_allow',
  'choices_refuse',
  'choices_save',
  'choices_none',
  'choices_all',
  'choices_saved',
] as const;

/** What they name is `{{organization}}`, `{{date}}` and `{{request}}`. */
export type PortalWords = Readonly<Record<(typeof PORTAL_WORDS)[number], string>>;

const BUILT_IN = fileURLToPath(new URL('./templates/', import.meta.url));

/**
 * Reads the templates: those of the folder go before the ones that come with Habeas, file by file (`de/completed.txt`,
 * `de/completed.html`, `de/rights.json`, `de/package-page.json`, `de/proof-page.json`, `de/portal.json`, `layout.html`). Throws CONFIG_INVALID for one that names something that the mail does not have.
 */
export function loadTemplates(folder?: string): Templates {
  if (folder !== undefined && !existsSync(folder)) throw broken(folder, 'there is no such folder');
  const read = (name: string): string | undefined => {
    const own = folder === undefined ? undefined : join(folder, name);
    if (own !== undefined && existsSync(own)) return readFileSync(own, 'utf8');
    const builtIn = join(BUILT_IN, name);
    return existsSync(builtIn) ? readFileSync(builtIn, 'utf8') : undefined;
  };
  const required = (name: string): string => {
    const text = read(name);
    if (text === undefined) throw broken(name, 'it is missing');
    return text;
  };
  const layout = required('layout.html');
  if (!placeholdersOf(layout).includes('content'))
    throw broken('layout.html', 'it does not name {{content}}');
  return {
    layout,
    mails: perLanguage((language) => {
      const template = (kind: TemplateKind) => templateOf({ language, kind, required, read });
      return Object.fromEntries(TEMPLATE_KINDS.map((kind) => [kind, template(kind)])) as Record<
        TemplateKind,
        Template
      >;
    }),
    rights: perLanguage((language) => wordsOf(`${language}/rights.json`, required)),
    delays: perLanguage((language) => wordsOf(`${language}/delays.json`, required)),
    packagePage: perLanguage((language) =>
      pageWords(`${language}/package-page.json`, PACKAGE_PAGE_WORDS, required),
    ),
    proofPage: perLanguage((language) =>
      pageWords(`${language}/proof-page.json`, PROOF_PAGE_WORDS, required),
    ),
    portal: perLanguage((language) => pageWords(`${language}/portal.json`, PORTAL_WORDS, required)),
  };
}

function perLanguage<Value>(of: (language: Language) => Value): Record<Language, Value> {
  return Object.fromEntries(LANGUAGES.map((language) => [language, of(language)])) as Record<Language, Value>;
}

function templateOf(options: {
  readonly language: Language;
  readonly kind: TemplateKind;
  readonly required: (name: string) => string;
  readonly read: (name: string) => string | undefined;
}): Template {
  const { language, kind } = options;
  const name = `${language}/${kind}`;
  const text = options.required(`${name}.txt`);
  const html = options.read(`${name}.html`);
  if (splitSubject(text) === undefined)
    throw broken(`${name}.txt`, 'its first line has to be "Subject: …", with an empty line after it');
  const known: readonly string[] = [...COMMON_PLACEHOLDERS, ...MAIL_PLACEHOLDERS[kind]];
  for (const [file, content, more] of [
    [`${name}.txt`, text, []],
    [`${name}.html`, html ?? '', ['language']],
  ] as const) {
    const unknown = placeholdersOf(content).find((placeholder) => ![...known, ...more].includes(placeholder));
    if (unknown !== undefined)
      throw broken(
        file,
        `it names {{${unknown}}}; this mail has ${known.map((one) => `{{${one}}}`).join(', ')}`,
      );
  }
  // Without the code the mail is of no use.
  if (['code', 'package-code', 'choices-code'].includes(kind) && !placeholdersOf(text).includes('code'))
    throw broken(`${name}.txt`, 'it does not name {{code}}');
  return { text, html };
}

function pageWords<Word extends string>(
  name: string,
  needed: readonly Word[],
  required: (name: string) => string,
): Readonly<Record<Word, string>> {
  const words: Readonly<Record<string, string>> = wordsOf(name, required);
  const missing = needed.find((word) => words[word] === undefined || words[word] === '');
  if (missing !== undefined) throw broken(name, `it has no "${missing}"`);
  return Object.fromEntries(needed.map((word) => [word, words[word]])) as Record<Word, string>;
}

function wordsOf(name: string, required: (name: string) => string): Record<string, string> {
  const text = required(name);
  try {
    const words: unknown = JSON.parse(text);
    if (typeof words === 'object' && words !== null && !Array.isArray(words)) {
      const entries = Object.entries(words).map(([right, word]) => [right, String(word)]);
      return Object.fromEntries(entries);
    }
  } catch (cause) {
    throw broken(name, 'it is not JSON', cause);
  }
  throw broken(name, 'it is not an object');
}

function broken(name: string, what: string, cause?: unknown): HabeasError {
  return new HabeasError(
    'CONFIG_INVALID',
    `The template ${name} cannot be used: ${what}. Correct it, or people.templates in the configuration.`,
    { cause },
  );
}
