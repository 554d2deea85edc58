import { escapeHtml } from '../escape-html.ts';

/** A mail to be filled in: plain text whose first line is `Subject: …`, and HTML of one's own if there is any. */
export interface Template {
  readonly text: string;
  /** (Default: the paragraphs of the text, in the layout) */
  readonly html?: string | undefined;
}

export interface FilledTemplate {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const PLACEHOLDER = /\{\{([a-z]+)\}\}/g;
const SUBJECT = /^Subject: (.+)\r?\n\r?\n/;

/** The placeholders that a text names, each once, in the order of the alphabet. */
export function placeholdersOf(text: string): readonly string[] {
  return [...new Set([...text.matchAll(PLACEHOLDER)].map(([, name = '']) => name))].sort();
}

/** The subject line and the text after it; undefined where the text does not begin with one and an empty line. */
export function splitSubject(text: string): { readonly subject: string; readonly body: string } | undefined {
  const match = SUBJECT.exec(text);
  return match?.[1] === undefined ? undefined : { subject: match[1], body: text.slice(match[0].length) };
}

export interface FillOptions {
  readonly template: Template;
  /** HTML around the paragraphs: names `content`, `language`, `subject` and `organization`. */
  readonly layout: string;
  readonly language: string;
  readonly values: Readonly<Record<string, string | undefined>>;
}

/**
 * Fills in a template. A paragraph of the text that names a value that there is none of is left out. Values stay on their line
 * and are escaped in the HTML, so that what somebody wrote can be nothing else than words.
 */
export function fillTemplate({ template, layout, language, values }: FillOptions): FilledTemplate {
  const { subject, body } = splitSubject(template.text) ?? { subject: '', body: template.text };
  const present = Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, oneLine(value)]])),
  );
  const paragraphs = body
    .trim()
    .split(/\r?\n(?:[ \t]*\r?\n)+/)
    .filter((paragraph) => placeholdersOf(paragraph).every((name) => present[name] !== undefined));
  const filledSubject = fill(subject, present);
  const escaped = Object.fromEntries(
    Object.entries(present).map(([name, value]) => [name, escapeHtml(value)]),
  );
  const content = paragraphs.map((paragraph) => `      ${htmlOf(paragraph, escaped)}`).join('\n');
  const html =
    template.html === undefined
      ? fill(layout, { ...escaped, content, language, subject: escapeHtml(filledSubject) })
      : fill(template.html, { ...escaped, language });
  return {
    subject: filledSubject,
    text: `${paragraphs.map((paragraph) => fill(paragraph, present)).join('\n\n')}\n`,
    html,
  };
}

/** A text with its placeholders replaced, in one pass: what a value holds is never taken for a placeholder. */
export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(PLACEHOLDER, (_, name: string) => values[name] ?? '');
}

function htmlOf(paragraph: string, escaped: Readonly<Record<string, string>>): string {
  if (paragraph.trim() === '{{code}}')
    return `<p style="font-size:28px;letter-spacing:4px"><strong>${escaped.code}</strong></p>`;
  const { link } = escaped;
  const anchored = { ...escaped, ...(link === undefined ? {} : { link: `<a href="${link}">${link}</a>` }) };
  return `<p>${fill(escapeHtml(paragraph), anchored).replaceAll('\n', '<br>\n')}</p>`;
}

function oneLine(value: string): string {
  return value.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ').trim();
}
