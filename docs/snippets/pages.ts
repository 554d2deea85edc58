import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

/** What an HTML comment above a snippet says: `run: first database` is the kind `run` with the text `first database`. */
export interface Mark {
  readonly kind: (typeof MARKS)[number];
  readonly text: string;
}

/**
 * `not run: why`: only looked at. `run: story`: a story test runs it. `answer: story`: what the snippet before it answers.
 * `is: file` and `part of: file`: the text stands in that file. `yaml: kind`: which parser reads it. `given: code`: what a TypeScript snippet
 * takes for granted.
 */
export const MARKS = ['not run', 'run', 'answer', 'is', 'part of', 'yaml', 'given'] as const;

/** One fenced block of a page. */
export interface Snippet {
  readonly page: Page;
  /** Of the opening fence, from 1. */
  readonly line: number;
  /** Of the closing fence. */
  readonly end: number;
  /** The first word after the fence; empty without one. */
  readonly language: string;
  readonly text: string;
  readonly marks: readonly Mark[];
}

/** One Markdown file. */
export interface Page {
  /** Relative to the root, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly snippets: readonly Snippet[];
  /** Comments right above a snippet that are no known mark, as `line: text`. */
  readonly unknownMarks: readonly string[];
}

/** README.md and everything under docs/. */
export function readPages(): readonly Page[] {
  const paths = ['README.md', ...globSync('docs/**/*.md', { cwd: ROOT })];
  return paths.map((path) => readPage(path.replaceAll('\\', '/'))).sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function readPage(path: string): Page {
  return parsePage(path, readFileSync(join(ROOT, path), 'utf8'));
}

/** Throws for a fence that is never closed. */
export function parsePage(path: string, text: string): Page {
  const lines = text.split('\n');
  const snippets: Snippet[] = [];
  const unknownMarks: string[] = [];
  const page: Page = { path, text, snippets, unknownMarks };
  let marks: Mark[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const fence = /^(\s*)(`{3,}|~{3,})\s*(\S*)/.exec(line);
    if (fence !== null) {
      const [, indent = '', ticks = '', language = ''] = fence;
      const end = lines.findIndex((other, index) => index > at && other.trim() === ticks);
      if (end === -1) throw new Error(`${path}:${at + 1}: this fence is never closed`);
      const body = lines.slice(at + 1, end).map((inner) => inner.replace(indent, ''));
      snippets.push({ page, line: at + 1, end: end + 1, language, text: body.join('\n'), marks });
      marks = [];
      at = end;
      continue;
    }
    if (line.trimStart().startsWith('<!--')) {
      const close = lines.findIndex((other, index) => index >= at && other.includes('-->'));
      const comment = lines.slice(at, close + 1).join('\n');
      const mark = readMark(comment);
      if (mark !== undefined) marks = [...marks, mark];
      else if (isAboveSnippet(lines, close)) unknownMarks.push(`${path}:${at + 1}: ${comment.trim()}`);
      at = close;
      continue;
    }
    if (line.trim() !== '') marks = [];
  }
  return page;
}

/** The lines outside fenced blocks. */
export function proseLines(page: Page): readonly { readonly line: number; readonly text: string }[] {
  const inside = new Set<number>();
  for (const { line, end } of page.snippets) {
    for (let at = line; at <= end; at += 1) inside.add(at);
  }
  return page.text
    .split('\n')
    .map((text, index) => ({ line: index + 1, text }))
    .filter(({ line }) => !inside.has(line));
}

/** `path:line`, as editors make a link of it. */
export function placeOf(snippet: Snippet): string {
  return `${snippet.page.path}:${snippet.line}`;
}

/** The text of the first mark of a kind. */
export function markOf(snippet: Snippet, kind: Mark['kind']): string | undefined {
  return snippet.marks.find((mark) => mark.kind === kind)?.text;
}

/** The lines that are neither blank nor a comment of the whole line, without spaces at the end. */
export function codeLines(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line.trim() !== '' && !line.trimStart().startsWith('//'));
}

function readMark(comment: string): Mark | undefined {
  const [, kind, text = ''] = /^\s*<!--\s*([a-z ]+?):\s*([\s\S]*?)\s*-->\s*$/.exec(comment) ?? [];
  const known = MARKS.find((one) => one === kind);
  return known === undefined || text === '' ? undefined : { kind: known, text };
}

function isAboveSnippet(lines: readonly string[], at: number): boolean {
  const next = lines.slice(at + 1).find((line) => line.trim() !== '' && !line.trimStart().startsWith('<!--'));
  return next !== undefined && /^\s*(`{3,}|~{3,})/.test(next);
}
